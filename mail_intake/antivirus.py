"""Has the bytes of files looked at by clamd, over its socket or TCP; never lets pass what it could not look at."""

import contextlib
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dossiers.firm import Firm
from mail_intake.routing import Routed
from mail_intake.rules import Action, Decision
from transfer.failures import TemporaryFailure

INFECTED = "waiting.infected"
"""Reason for waiting: the scanner knows the file as harmful."""

UNSCANNED = "waiting.unscanned"
"""Reason for waiting: the scanner refuses to look at the file, for its size or for what it is."""

_TIMEOUT = 120.0
_BLOCK = 256 * 1024
_FOUND = re.compile(r"stream: (.+) FOUND")


@dataclass(frozen=True)
class Scanner:
    """A running clamd: the path of its socket, or host and port as ``host:3310``."""

    address: str

    def check(self) -> None:
        """Raise ``antivirus.unreachable`` unless it answers."""
        with self._connected() as connection:
            connection.sendall(b"zPING\0")
            if _answer(connection) != "PONG":
                raise TemporaryFailure("antivirus.unreachable", address=self.address)

    def judged(self, each: Routed) -> Routed:
        """Return a file's decision, or that it waits with what the scanner said; what is left out is not looked at."""
        if each.decision.action is Action.IGNORE:
            return each
        said = self._said(each.part.content)
        if said == "stream: OK":
            return each
        found = _FOUND.fullmatch(said)
        reason, threat = (INFECTED, found[1]) if found else (UNSCANNED, said.removesuffix(" ERROR"))
        return replace(each, decision=Decision(Action.WAIT, reason, rule=each.decision.rule), threat=threat[:255])

    def _said(self, content: bytes) -> str:
        """Return what the scanner says of bytes; it may hang up on a file that is too large for it."""
        with self._connected() as connection:
            try:
                connection.sendall(b"zINSTREAM\0")
                for at in range(0, len(content), _BLOCK):
                    block = content[at : at + _BLOCK]
                    connection.sendall(struct.pack(">I", len(block)) + block)
                connection.sendall(struct.pack(">I", 0))
            except (BrokenPipeError, ConnectionResetError):
                said = _answer(connection)
                if not said:
                    raise
                return said
            said = _answer(connection)
        if not said:
            raise TemporaryFailure("antivirus.unreachable", address=self.address)
        return said

    @contextlib.contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            host, colon, port = self.address.rpartition(":")
            if colon and port.isdigit() and "/" not in self.address:
                connection = socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT)
            else:
                connection = socket.socket(socket.AF_UNIX)
                connection.settimeout(_TIMEOUT)
            with connection:
                if connection.family == getattr(socket, "AF_UNIX", None):
                    connection.connect(self.address)
                yield connection
        except (OSError, AttributeError, OverflowError):  # no sockets with a path on Windows
            raise TemporaryFailure("antivirus.unreachable", address=self.address) from None


def scanner_of(firm: Firm) -> Scanner | None:
    """Return the firm's virus scanner once it answers, None where none is set; else ``antivirus.unreachable``."""
    address = firm.settings.text("mail.antivirus")
    if not address:
        return None
    scanner = Scanner(address)
    scanner.check()
    return scanner


def _answer(connection: socket.socket) -> str:
    told = b""
    while not told.endswith(b"\0") and len(told) < 4096 and (more := connection.recv(4096)):
        told += more
    return told.rstrip(b"\0").decode("utf-8", "replace").strip()
