"""Speaks FTP byte by byte, as devices and strangers do that no client library imitates; never corrects anything."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, Self

from served import FIDUCIARY, trusting

WRITE = f"WRITE_{FIDUCIARY}"
READ = f"READ_{FIDUCIARY}"


class Reachable(Protocol):
    """A running server and the passwords of its accounts."""

    host: str
    port: int
    passwords: dict[str, str]


class Dialogue:
    """A control connection, from any loopback address; replies come back as they are, several lines as one text."""

    def __init__(self, server: Reachable, source: str = "127.0.0.1", timeout: float = 20.0) -> None:
        self.server = server
        self.source = source
        self.sock: socket.socket = socket.create_connection((server.host, server.port), timeout, (source, 0))
        self.context: ssl.SSLContext | None = None
        self._unread = b""
        self.greeting = self.reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data)

    def reply(self) -> str:
        """Return the next reply; EOFError when the server closed instead."""
        lines = [self._line()]
        if lines[0][3:4] == "-":
            while not lines[-1].startswith(lines[0][:3] + " "):
                lines.append(self._line())
        return "\n".join(lines)

    def say(self, line: str | bytes) -> str:
        """Send one line and return the reply to it."""
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def log_in(self, login: str = WRITE, password: str | None = None) -> str:
        """Log in and return the last reply."""
        self.say(f"USER {login}")
        return self.say(f"PASS {self.server.passwords[login] if password is None else password}")

    def secure(self) -> None:
        """Go on with TLS, data connections included."""
        assert self.say("AUTH TLS")[:3] == "234"
        self.context = trusting()
        self.sock = self.context.wrap_socket(self.sock)
        assert self.say("PBSZ 0")[:3] == "200"
        assert self.say("PROT P")[:3] == "200"

    def passive(self) -> tuple[str, int]:
        """Say PASV and return the address it answers."""
        told = self.say("PASV")
        assert told[:3] == "227", told
        *host, high, low = told[told.index("(") + 1 : told.index(")")].split(",")
        return ".".join(host), int(high) * 256 + int(low)

    def data(self, address: tuple[str, int]) -> socket.socket:
        """Connect to a passive port, from the same address as the control connection; TLS comes by :meth:`guarded`."""
        return socket.create_connection(address, 20, (self.source, 0))

    def guarded(self, data: socket.socket) -> socket.socket:
        """Protect a data connection where the session is protected, resuming the session's own TLS session."""
        if self.context is None:
            return data
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.context.wrap_socket(data, session=self.sock.session)

    def begin(self, command: str | bytes) -> socket.socket:
        """Begin a transfer over a passive data connection, and return that."""
        data = self.data(self.passive())
        reply = self.say(command)
        if reply[:3] != "150":
            data.close()
            raise AssertionError(reply)
        return self.guarded(data)

    def store(self, name: str | bytes, content: bytes, command: bytes = b"STOR") -> str:
        """Deposit a document and return the last reply."""
        data = self.begin(command + b" " + (name.encode() if isinstance(name, str) else name))
        data.sendall(content)
        finish(data)
        return self.reply()

    def fetch(self, command: str) -> bytes:
        """Return what a command sends over a passive data connection."""
        data = self.begin(command)
        with data:
            content = b"".join(iter(lambda: data.recv(65_536), b""))
        assert self.reply()[:3] == "226"
        return content

    def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        came, self._unread = self._unread, b""
        with contextlib.suppress(ConnectionError):
            while block := self.sock.recv(65_536):
                came += block
        return came

    def _line(self) -> str:
        while b"\n" not in self._unread:
            block = self.sock.recv(65_536)
            if not block:
                raise EOFError(self._unread)
            self._unread += block
        line, self._unread = self._unread.split(b"\n", 1)
        return line.rstrip(b"\r").decode()


def finish(data: socket.socket) -> None:
    """End a data connection properly, over TLS with its closing message."""
    with data:
        if isinstance(data, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                data.unwrap()


@contextmanager
def logged_in(
    server: Reachable, login: str = WRITE, *, tls: bool = False, source: str = "127.0.0.1"
) -> Iterator[Dialogue]:
    """Log in and hand over the session."""
    with Dialogue(server, source) as session:
        if tls:
            session.secure()
        assert session.log_in(login)[:3] == "230"
        yield session


def deposited(server: Reachable, folder: str, *, login: str = WRITE) -> str:
    """Log in afresh, deposit a small document in a folder and return the reply: the proof that the server serves."""
    with logged_in(server, login) as session:
        return session.store(f"{folder}/alive.pdf", b"%PDF-1.4\n" + folder.encode() + b"\n%%EOF\n")
