"""Accepts sessions, within its limits; never reads from one."""

import errno
import logging
import socket
from typing import Any

from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from ftp_server.doorways import BACKLOG
from ftp_server.file_session import FileSession
from ftp_server.visitors import Visitors

log = logging.getLogger("navette.server")

_BURST = 50
_PAUSE = 0.5  # seconds without accepting once file descriptors have run out
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener(FTPServer):
    """The listening socket and the sessions that came through it."""

    def __init__(
        self, listening: socket.socket, handler: type[FileSession], loop: IOLoop, visitors: Visitors, most: int
    ) -> None:
        self.sessions: set[FileSession] = set()
        self._visitors = visitors
        self._most = most
        super().__init__(listening, handler, loop, BACKLOG)

    def handle_accept(self) -> None:
        """Accept who waits; out of file descriptors, pause instead of giving the listening socket up."""
        for _ in range(_BURST):
            try:
                sock, address = self.socket.accept()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    log.error("server.no_descriptors sessions=%d", len(self.sessions))
                    self.ioloop.unregister(self._fileno)
                    self.ioloop.call_later(_PAUSE, self._go_on)
                return
            self.handle_accepted(sock, address)

    def _go_on(self) -> None:
        if self.connected or self.accepting:
            self.ioloop.register(self._fileno, self, self.ioloop.READ)

    def handle_accepted(self, sock: socket.socket, addr: Any) -> None:
        """Greet a new session, or say why there is none."""
        del addr
        session = self.handler(sock, self, ioloop=self.ioloop)
        if not session.connected:
            return
        if self._visitors.come(session.peer, self._most):
            self.sessions.add(session)
            session.handle()
            session.visit(lambda: None)  # most speak at once: the worker is there before their first line is
        else:
            log.warning("session refused peer=%s: too many", session.peer)
            session.respond("421 Too many sessions at the moment; please try again later.")
            session.close()

    def gone(self, session: FileSession) -> None:
        """Forget a session that is closed."""
        if session in self.sessions:
            self.sessions.discard(session)
            self._visitors.go(session.peer)

    def handle_error(self) -> None:
        """Note what nobody foresaw, and go on listening."""
        log.exception("server.accept_failed")
