"""Data connections: opened, protected and read in worker threads; never says what the bytes are for."""

import contextlib
import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ftp_server.judging import Ending
from transfer.fingerprints import BLOCK

OPENING = 30.0
"""Seconds a device has to open its data connection and to finish its TLS handshake."""

IDLE = 120.0
"""Seconds a data connection may stay without a byte: scanners pause between pages."""

_local = threading.local()
_LOOK = 0.25  # how often a waiting worker looks whether it was told to stop


class NotOpened(Exception):
    """The data connection could not be opened or protected; ``reply`` is what the session is told."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


class PassivePorts:
    """The range of ports a firewall lets through; a port is lent to one session at a time."""

    def __init__(self, ports: range | None) -> None:
        self._lock = threading.Lock()
        self._free = list(ports) if ports else None

    def listen(self, host: str, family: socket.AddressFamily) -> "Passive":
        """Return a listener on a free port; raises OSError when the whole range is lent."""
        if self._free is None:
            return Passive(_listening(host, 0, family))
        for _ in range(len(self._free)):
            with self._lock:
                if not self._free:
                    break
                port = self._free.pop(0)
            try:
                return Passive(_listening(host, port, family))
            except OSError:  # another program holds it: keep it at the end of the list
                self._give_back(port)
        raise OSError("no passive port is free")

    def take_back(self, listener: "Passive") -> None:
        """Close a listener and let its port be lent again."""
        listener.close()
        self._give_back(listener.port)

    def _give_back(self, port: int) -> None:
        if self._free is not None:
            with self._lock:
                self._free.append(port)


def _listening(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(5)
    except BaseException:
        listener.close()
        raise
    return listener


@dataclass(frozen=True)
class Active:
    """A device that listens itself (PORT, EPRT): connected to when the transfer begins, not before."""

    host: str
    port: int

    def open(self, peer: str, stop: threading.Event) -> socket.socket:
        """Connect to the device."""
        del stop
        try:
            return socket.create_connection((peer, self.port), timeout=OPENING)
        except OSError:
            raise NotOpened("425 Cannot connect to the port you named; passive mode works through firewalls.") from None


class Passive:
    """A listener that a session keeps to its end, for one transfer after the other."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        listener.setblocking(False)
        host, self.port = listener.getsockname()[:2]
        self.host = plain_address(host)

    def open(self, peer: str, stop: threading.Event) -> socket.socket:
        """Accept the session's own peer; connections from other addresses are closed without a word."""
        deadline = time.monotonic() + OPENING
        while not stop.is_set():
            with contextlib.suppress(BlockingIOError):
                data, address = self._listener.accept()
                if plain_address(address[0]) == plain_address(peer):
                    return data
                data.close()
            if time.monotonic() > deadline:
                break
            _wait_until_readable(self._listener, _LOOK)
        raise NotOpened("425 No data connection was opened.")

    def drop_strays(self) -> None:
        """Close what connected earlier and was never used: it must not be taken for the coming transfer's."""
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


Opening = Active | Passive


def plain_address(address: str) -> str:
    """Return an IPv4 address that came in IPv6 clothes as plain IPv4."""
    return address.removeprefix("::ffff:")


class DataConnection:
    """One open data connection; ``stop`` may be set from any thread to end it within a quarter of a second."""

    def __init__(self, sock: socket.socket, stop: threading.Event, context: ssl.SSLContext | None) -> None:
        self._stop = stop
        self._sock = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                sock.settimeout(OPENING)
                self._sock = context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
        except OSError:
            sock.close()
            raise NotOpened("522 The TLS handshake of the data connection failed.") from None
        self._sock.settimeout(_LOOK)

    def receive(self, block: Callable[[memoryview], None]) -> Ending:
        """Give every received block to ``block`` until the other side ends; return how it ended."""
        buffer = _thread_buffer()
        tls = isinstance(self._sock, ssl.SSLSocket)
        last = time.monotonic()
        while True:
            try:
                count = self._sock.recv_into(buffer)
            except (TimeoutError, ssl.SSLWantReadError):
                if self._stop.is_set():
                    return Ending.ABORTED
                if time.monotonic() - last > IDLE:
                    return Ending.STALLED
                continue
            except ssl.SSLZeroReturnError:
                return Ending.CLOSE_NOTIFY
            except ssl.SSLError:
                return Ending.TRUNCATED
            except OSError:
                return Ending.RESET
            if not count:
                return Ending.CLOSE_NOTIFY if tls else Ending.CLOSED
            if tls:
                self._acknowledge_at_once()
            last = time.monotonic()
            block(buffer[:count])

    def send(self, blocks: Iterator[bytes]) -> bool:
        """Send all blocks; return whether the other side took them."""
        try:
            self._sock.settimeout(IDLE)
            for block in blocks:
                if self._stop.is_set():
                    return False
                self._sock.sendall(block)
        except OSError:
            return False
        return True

    def finish(self) -> None:
        """Close, over TLS with the closing message that tells the other side that nothing was cut off."""
        if isinstance(self._sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self._sock.settimeout(1.0)
                self._sock.unwrap()
        self._sock.close()

    def break_off(self) -> None:
        """Close so that the other side cannot take what came for a whole file."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._sock.close()

    def _acknowledge_at_once(self) -> None:
        """Spare devices that send small TLS records with Nagle's delay on: 48 ms become 5 ms a session (measured)."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _thread_buffer() -> memoryview:
    """Return this thread's own buffer: making one for each transfer costs more than filling it."""
    buffer: memoryview | None = getattr(_local, "buffer", None)
    if buffer is None:
        buffer = _local.buffer = memoryview(bytearray(BLOCK))
    return buffer


def _wait_until_readable(sock: socket.socket, seconds: float) -> None:
    if hasattr(select, "poll"):  # select() cannot look at more than 1,024 sockets
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        poll.poll(seconds * 1000)
    else:
        select.select([sock], [], [], seconds)
