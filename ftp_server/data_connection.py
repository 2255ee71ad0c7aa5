"""Data connections: opened, protected and used in worker threads; never says what the bytes are for."""

import contextlib
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Protocol

from ftp_server.judging import Ending
from ftp_server.protection import Protection
from ftp_server.readiness import wait_for
from transfer.fingerprints import BLOCK

OPENING = 30.0
"""Seconds a device has to open its data connection and to finish its TLS handshake."""

IDLE = 120.0
"""Seconds a data connection may stay without a byte: scanners pause between pages."""

_local = threading.local()
_LOOK = 0.25  # how often a waiting worker looks whether it was told to stop
_BACKLOG = 5  # connections that wait at a passive port
_CLOSING = 1.0  # seconds for the closing messages of TLS


class Control(Protocol):
    """The control connection of the same session, looked after while a transfer waits."""

    @property
    def lost(self) -> bool:
        """Whether the other side has gone."""

    @property
    def stopped(self) -> bool:
        """Whether the transfer is to end."""

    def fileno(self) -> int:
        """Return the number to wait for."""

    def attend(self) -> None:
        """Take what came over it."""

    def stand_by(self, seconds: float) -> None:
        """Wait whether the other side hangs up or wants to stop."""

    @property
    def said_goodbye(self) -> bool:
        """Whether the other side has said that it will go."""


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
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


@dataclass(frozen=True)
class Active:
    """A device that listens itself (PORT, EPRT): connected to when the transfer begins, not before."""

    host: str
    port: int

    def open(self, peer: str, control: Control) -> socket.socket:
        """Connect to the device."""
        del control
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

    def open(self, peer: str, control: Control) -> socket.socket:
        """Accept the session's own peer; connections from other addresses are closed without a word."""
        deadline = time.monotonic() + OPENING
        late = 0
        while not control.stopped and late <= _BACKLOG:
            late += time.monotonic() > deadline  # what came in time may be found late: the server was frozen
            try:
                data, address = self._listener.accept()
            except BlockingIOError:
                if late or control.lost:
                    break
                _wait(self._listener, control)
                continue
            if plain_address(address[0]) == plain_address(peer):
                return data
            data.close()
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
    """One open data connection; it ends soon after its control connection is told to stop.

    ``resumed``: it must resume a TLS session that began under ``protection``, which proves that it belongs to its
    control connection if that has the protection for itself.
    """

    def __init__(
        self, sock: socket.socket, control: Control, protection: Protection | None, *, resumed: bool = False
    ) -> None:
        self.control = control
        self._sock = sock
        sock.setblocking(False)
        if protection:
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sock = protection.data(sock)
                self._shake_hands(self._sock)
            except OSError:
                self._sock.close()
                raise NotOpened("522 The TLS handshake of the data connection failed.") from None
            if resumed and not self._sock.session_reused:
                self._sock.close()
                raise NotOpened("522 The data connection must resume the TLS session of this one.")

    def _shake_hands(self, sock: ssl.SSLSocket) -> None:
        deadline = time.monotonic() + OPENING
        while True:
            try:
                sock.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                if self.control.stopped or time.monotonic() > deadline:
                    raise TimeoutError from None
                _wait(sock, self.control, writing=isinstance(wanted, ssl.SSLWantWriteError))
            else:
                return

    def receive(self, block: Callable[[memoryview], None]) -> Ending:
        """Give what is received to ``block``, in large pieces, until the other side ends; return how it ended.

        A piece is good until the next one. What came before a pause is not kept back: scanners pause between pages.
        """
        buffer = _thread_buffer()
        filled = 0
        while True:
            came = self._receive_into(buffer[filled:], pause=filled > 0)
            if isinstance(came, Ending):
                if filled:
                    block(buffer[:filled])
                return came
            filled += came
            if filled == len(buffer) or not came:
                block(buffer[:filled])
                filled = 0

    def _receive_into(self, buffer: memoryview, *, pause: bool) -> int | Ending:
        """Return how many bytes came, or how the other side ended; with ``pause`` 0 when nothing comes for a moment."""
        began = 0.0
        while True:
            try:
                count = self._sock.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                if self.control.stopped:
                    return Ending.ABORTED
                now = time.monotonic()
                began = began or now
                if now - began > IDLE:
                    return Ending.STALLED
                if pause and now - began > _LOOK:
                    return 0
                _wait(self._sock, self.control, writing=isinstance(wanted, ssl.SSLWantWriteError))
            except ssl.SSLZeroReturnError:
                return Ending.CLOSE_NOTIFY
            except ssl.SSLError:
                return Ending.TRUNCATED
            except OSError:
                return Ending.RESET
            else:
                if isinstance(self._sock, ssl.SSLSocket):
                    self._acknowledge_at_once()
                    return count or Ending.CLOSE_NOTIFY
                return count or Ending.CLOSED

    def send(self, blocks: Iterable[bytes]) -> bool:
        """Send all blocks; return whether the other side took them."""
        for block in blocks:
            left = memoryview(block)
            while left:
                sent = self._tried(partial(self._sock.send, left))
                if sent is None:
                    return False
                left = left[sent:]
        return True

    def send_file(self, file: BinaryIO, offset: int) -> bool:
        """Send a file from ``offset`` on; return whether the other side took it."""
        file.seek(offset)
        if isinstance(self._sock, ssl.SSLSocket) or not hasattr(os, "sendfile"):
            return self.send(iter(lambda: file.read(BLOCK), b""))
        end = os.fstat(file.fileno()).st_size
        while offset < end:
            sent = self._tried(partial(os.sendfile, self._sock.fileno(), file.fileno(), offset, end - offset))
            if not sent:
                return False
            offset += sent
        return True

    def _tried(self, send: Callable[[], int]) -> int | None:
        """Return how many bytes ``send`` could send, once it could; None when the other side does not take them."""
        deadline = time.monotonic() + IDLE
        while not self.control.stopped and not self.control.lost and time.monotonic() < deadline:
            try:
                return send()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                _wait(self._sock, self.control, writing=not isinstance(wanted, ssl.SSLWantReadError))
            except OSError:
                return None
        return None

    def finish(self) -> None:
        """Close, over TLS with the closing message that tells the other side that nothing was cut off."""
        if isinstance(self._sock, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self._sock.settimeout(_CLOSING)
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


def _wait(sock: socket.socket, control: Control, *, writing: bool = False) -> None:
    """Wait a moment for a data socket, looking after the control connection meanwhile."""
    reading = [] if control.lost else [control.fileno()]
    if writing:
        ready = wait_for(reading=reading, writing=[sock.fileno()], seconds=_LOOK)
    else:
        ready = wait_for(reading=[*reading, sock.fileno()], seconds=_LOOK)
    if not control.lost and control.fileno() in ready:
        control.attend()
