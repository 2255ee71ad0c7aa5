"""The open connections of one round, so that a round that hangs can be cut from outside; never used twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from transfer.client_ini import Connection
from transfer.failures import TemporaryFailure
from transfer.ftp_session import FtpSession


class Sessions:
    """Opens connections for a round, from several threads, until it is cut."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._open: set[FtpSession] = set()
        self._is_cut = False

    @contextmanager
    def open(self, connection: Connection) -> Iterator[FtpSession]:
        """Open a connection for a ``with`` block; ``fetch.cut`` once the round was cut."""
        session = FtpSession(connection)
        with self._turn:
            if self._is_cut:
                raise TemporaryFailure("fetch.cut")
            self._open.add(session)
        try:
            with session:
                yield session
        finally:
            with self._turn:
                self._open.discard(session)

    def cut(self) -> None:
        """Close all connections at once: whoever waits on one gets ``session.interrupted``, and none is opened anew."""
        with self._turn:
            self._is_cut = True
            hanging = list(self._open)
        for session in hanging:
            session.abandon()
