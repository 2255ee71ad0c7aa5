"""A control connection: watched by the loop while idle, served by a worker thread while active; knows no command.

Only one thread has a control connection at a time. While it is idle that is the loop's, which does nothing but wait for
it to become readable and then lends it to a worker. The worker reads lines and runs them, transfers included, and stays
for a moment after the last one: a session that sends one document after the other never waits for a second thread.
"""

import contextlib
import logging
import re
import socket
import ssl
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import AsyncChat

from ftp_server.loop import Loan, Workers
from ftp_server.protection import Protection
from ftp_server.readiness import wait_for

log = logging.getLogger("navette.server")

LINE_BYTES = 2048
_WAITING_LINES = 1000
_BLOCK = 16_384  # a whole TLS record, so that nothing read stays behind unseen
_LINGER = 0.05  # seconds a worker stays with a session that has become quiet
_UNREAD = 30.0  # seconds a logged-in session may leave its replies unread
_TELNET = re.compile(rb"^[\xf0-\xff]+")  # in any order: some marks come as urgent data, and no command begins so
_URGENT = frozenset({b"ABOR", b"STAT"})


class ControlConnection(FTPHandler):
    """Lines in, replies out. A subclass runs the lines in :meth:`run_line`."""

    workers: Workers
    timeout = 0  # the server's sweeper ends idle sessions
    tcp_no_delay = True

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self.socket: Any  # plain, or TLS after AUTH
        self.lost = False
        self.lent = False
        self.ending = False
        self.began = self.last_active = time.monotonic()
        self.leaving = ""
        self._stopped = False
        self._handshaking = False
        self._patient = False
        self._received = b""
        self._lines: deque[bytes] = deque()
        self._afterwards: Callable[[], None] | None = None
        self._loan: Loan
        super().__init__(conn, server, ioloop)

    # --- in the loop's thread

    def handle_read_event(self) -> None:
        """Lend the connection to a worker, because something came."""
        self.visit(lambda: None)

    def handle_close(self) -> None:
        """Let a worker find out that the other side has gone."""
        self.handle_read_event()

    def _lend(self, action: Callable[[], None] | None = None) -> None:
        self.lent = True
        self.workers.lend(lambda loan: self._serve(loan, action), self.owner)

    def _rest(self) -> None:
        """Watch the connection again, or close it."""
        self.lent = False
        self.last_active = time.monotonic()
        if self.ending or self.lost:
            self.close()
        elif self._lines or self.leaving:
            self._lend()
        else:
            self.ioloop.register(self._fileno, self, self.ioloop.READ)

    def visit(self, action: Callable[[], None]) -> None:
        """Run an action in a worker, if the connection is idle."""
        if not self.lent:
            self.ioloop.unregister(self._fileno)
            self._lend(action)

    def leave(self, farewell: str) -> None:
        """End the session with a last reply, now or after the command that runs."""
        self.leaving = farewell
        self.visit(lambda: None)

    def close(self) -> None:
        """Close the connection, in such a way that the other side can read the last reply."""
        if not self._closed and self.connected:
            with contextlib.suppress(OSError, ValueError):
                if self.is_tls:
                    self.socket.unwrap()
            with contextlib.suppress(OSError, ValueError):
                self.socket.shutdown(socket.SHUT_WR)
                while self.socket.recv(_BLOCK):  # bytes left unread would make the kernel reset the connection
                    pass
        self.server.gone(self)
        AsyncChat.close(self)  # FTPHandler's own looks after transfers of its own, and writes for debugging

    # --- in a worker's thread

    def _serve(self, loan: Loan, action: Callable[[], None] | None) -> Callable[[], None]:
        """Run what comes until it is quiet; return what the loop does with the connection then."""
        self._loan = loan
        self._patient = True
        try:
            if action:
                action()
            self._receive()
            while not self._at_end():
                if self._lines:
                    self.run_line(self._lines.popleft())
                elif wait_for(reading=[self._fileno], seconds=0 if self.workers.crowded else _LINGER):
                    self._receive()
                else:
                    break
            if self.ending or self.lost or self.leaving:
                self._end()
        except Exception:  # the outermost loop of a session
            log.exception("session.failed user=%s peer=%s", self.username, self.remote_ip)
            self.ending = True
        self._patient = False
        return self._next_keeper()

    def _end(self) -> None:
        self.ending = True
        if self.leaving:
            self.respond(self.leaving)
        self.finish()

    def finish(self) -> None:
        """Do what is left to do at the end of the session."""

    def _next_keeper(self) -> Callable[[], None]:
        afterwards, self._afterwards = self._afterwards, None
        return afterwards or self._rest

    def _at_end(self) -> bool:
        return bool(self.ending or self.lost or self.leaving or self._afterwards)

    @abstractmethod
    def run_line(self, line: bytes) -> None:
        """Run one line."""

    def let_go(self, afterwards: Callable[[], None]) -> None:
        """Leave the worker after this line; ``afterwards`` is run in the loop and ends with :meth:`resume`."""
        self._afterwards = afterwards

    def change_owner(self) -> None:
        """Take the thread from the share of who owns the session now, and wait for one where that is used up."""
        if not self.workers.move(self._loan, self.owner):
            self.let_go(lambda: self.resume(lambda: None))

    def resume(self, action: Callable[[], None]) -> None:
        """Go on in a worker: first the action, then the lines that wait (called in the loop's thread)."""
        self._lend(action)

    def _receive(self) -> None:
        """Take the lines that have come, without waiting."""
        try:
            if self._handshaking:
                self.socket.do_handshake()
                self._handshaking = False
                self.secured()
            block = self.socket.recv(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            block = b""
        if not block:
            self.lost = True
            return
        *lines, self._received = (self._received + block).split(b"\n")
        if len(self._received) > LINE_BYTES or any(len(line) > LINE_BYTES for line in lines):
            self.respond("500 This line is too long. Goodbye.")
            self.ending = True
            return
        self._lines.extend(_TELNET.sub(b"", line).rstrip(b"\r") for line in lines)

    def secured(self) -> None:
        """TLS stands now."""

    def attend(self) -> None:
        """Look after the connection while a transfer runs: most lines wait for its end, ABOR and STAT do not."""
        known = len(self._lines)
        self._receive()
        if len(self._lines) > _WAITING_LINES:
            self.respond("421 Too many commands at once. Goodbye.")
            self.ending = self._stopped = True
        for line in list(self._lines)[known:]:
            if line[:4].upper() in _URGENT:
                self._lines.remove(line)
                self.run_line(line)

    def stand_by(self, seconds: float) -> None:
        """Wait whether the other side hangs up or wants to stop, for so many seconds at most."""
        until = time.monotonic() + seconds
        while not self.lost and not self.stopped:
            left = until - time.monotonic()
            if wait_for(reading=[self._fileno], seconds=max(left, 0)):
                self.attend()
            elif left <= 0:  # the last look comes after the time is over: a frozen server has seen nothing of it
                break

    @property
    @abstractmethod
    def owner(self) -> str:
        """Whose share of the threads the session takes."""

    @property
    def is_tls(self) -> bool:
        """Whether TLS protects the connection."""
        return isinstance(self.socket, ssl.SSLSocket)

    @property
    def has_unread(self) -> bool:
        """Whether something came behind the line that runs."""
        return bool(self._lines or self._received)

    @property
    def said_goodbye(self) -> bool:
        """Whether QUIT waits: who says goodbye was not killed."""
        return any(line[:4].upper() == b"QUIT" for line in self._lines)

    @property
    def stopped(self) -> bool:
        """Whether the transfer that runs is to end."""
        return self._stopped

    def stop(self) -> None:
        """End the transfer that runs, from any thread."""
        self._stopped = True

    def fileno(self) -> int:
        """Return the number to wait for."""
        return int(self._fileno)

    def protect(self, protection: Protection) -> None:
        """Go on with TLS: the handshake comes next."""
        plain: socket.socket = self.socket
        try:
            self.socket = protection.control(plain)
        except OSError:  # gone already; its number, now closed, may soon be another connection's
            self._fileno, self.lost = -1, True
        else:
            self._handshaking = True

    # --- replies, from either thread

    def respond(self, resp: str, logfun: object = None) -> None:
        """Send a reply."""
        del logfun
        self.push(resp + "\r\n")

    def push(self, data: str) -> None:
        """Send text; a session that leaves its replies unread is lost, a stranger's at once."""
        left = memoryview(data.encode())
        until = 0.0
        while left and not self.lost:
            try:
                left = left[self.socket.send(left) :]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                until = until or time.monotonic() + (_UNREAD if self._patient and self.authenticated else 0)
                self.lost = time.monotonic() > until
                wait_for(writing=[self._fileno], seconds=_LINGER)
            except OSError:
                self.lost = True

    def close_when_done(self) -> None:
        """End the session after what was sent."""
        self.ending = True

    def log(self, msg: str, logfun: object = None) -> None:
        """Leave pyftpdlib's own remarks out: what happened to logins and documents is logged where it happens."""
