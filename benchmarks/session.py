"""The least that an FTP client must do, so that it measures the server and not itself; never verifies a document."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_BLOCK = 256 * 1024


@dataclass(frozen=True)
class Target:
    """Where the load goes: an FTP server, a login, and the folder to work in.

    ``nagle``: the client leaves Nagle's delay on, as simple devices do. ``source``: the address it comes from, where
    that matters: to bind it makes the system search a free port for each connection, which soon tires the client.
    """

    port: int
    user: str
    password: str
    folder: str
    tls: bool = False
    nagle: bool = False
    source: str | None = None


class RawSession:
    """One logged-in session: one command, one reply, a data connection for each file.

    Over TLS every session shakes hands in full; its data connections resume it where the server lets them.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._buffer = bytearray(_BLOCK)
        self._control = self._connected(target.port)
        self._replies = self._control.makefile("rb")
        self._expect(220)
        if target.tls:
            self.say("AUTH TLS", 234)
            self._replies.close()
            self._control = _TRUSTING.wrap_socket(self._control)
            self._replies = self._control.makefile("rb")
        self.say(f"USER {target.user}", 331)
        self.say(f"PASS {target.password}", 230)
        if target.tls:
            self.say("PBSZ 0", 200)
            self.say("PROT P", 200)

    def prepare(self) -> None:
        """Say what comes before a transfer: binary, and the folder."""
        self.say("TYPE I", 200)
        if self._target.folder != "/":
            self.say(f"CWD {self._target.folder}", 250)

    def say(self, command: str, code: int) -> bytes:
        """Send one command and return the last line of its reply; RuntimeError if that is of another kind."""
        self._control.sendall(command.encode() + b"\r\n")
        return self._expect(code)

    def say_all(self, commands: Sequence[str], code: int) -> None:
        """Send commands ahead, in one packet, and then read their replies."""
        self._control.sendall("".join(f"{command}\r\n" for command in commands).encode())
        for _ in commands:
            self._expect(code)

    def store(self, name: str, content: bytes) -> None:
        """Upload bytes; returns with their 226."""
        with self._transfer(f"STOR {name}") as data:
            data.sendall(content)

    def store_file(self, path: Path) -> None:
        """Upload a file without reading it; returns with its 226."""
        with self._transfer(f"STOR {path.name}") as data, path.open("rb") as file:
            data.sendfile(file)

    def drain(self, command: str) -> int:
        """Run a command that sends something and return how many bytes came, which are thrown away."""
        size = 0
        with self._transfer(command) as data:
            while count := data.recv_into(self._buffer):
                size += count
        return size

    def lines(self, command: str) -> int:
        """Run a command that sends lines and return how many came."""
        count = 0
        with self._transfer(command) as data:
            while block := data.recv(_BLOCK):
                count += block.count(b"\n")
        return count

    def quit(self) -> None:
        """Say goodbye and close."""
        self.say("QUIT", 221)
        self.close()

    def close(self) -> None:
        """Close without a word."""
        self._replies.close()
        self._control.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transfer(self, command: str) -> Iterator[socket.socket]:
        numbers = self.say("PASV", 227).split(b"(")[1].split(b")")[0].split(b",")
        data = self._connected(int(numbers[4]) * 256 + int(numbers[5]))
        try:
            self.say(command, 150)
            if isinstance(self._control, ssl.SSLSocket):
                data = _TRUSTING.wrap_socket(data, session=self._control.session, suppress_ragged_eofs=True)
            yield data
            if isinstance(data, ssl.SSLSocket):
                with contextlib.suppress(OSError):  # some servers close without TLS's own goodbye
                    data.unwrap()
        finally:
            data.close()
        self._expect(226)

    def _connected(self, port: int) -> socket.socket:
        source = (self._target.source, 0) if self._target.source else None
        sock = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=source)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not self._target.nagle)
        return sock

    def _expect(self, code: int) -> bytes:
        line = self._replies.readline()
        first = line[:3]
        while line[3:4] == b"-" or line[:3] != first:
            line = self._replies.readline()
        if not first.startswith(str(code)[:1].encode()):
            raise RuntimeError(f"wanted {code}, got {line!r}")
        return line


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_TRUSTING = _trusting()
