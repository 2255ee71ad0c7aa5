"""One connection of an upload: opened when it is needed, opened anew after it broke; never sends a file itself."""

from collections.abc import Callable

from transfer.failures import Failure
from transfer.ftp_session import FtpSession


class Line:
    """Holds at most one open session, used by one thread; ``ready`` prepares the server's side of a new one."""

    def __init__(self, open_session: Callable[[], FtpSession], ready: Callable[[FtpSession], None]) -> None:
        self._open_session = open_session
        self._ready = ready
        self._session: FtpSession | None = None
        self.refusal: Failure | None = None
        """Why the last opening failed; None while the line is open or was never tried."""

    def session(self) -> FtpSession:
        """Return the open session, opening it first if need be; raises what the server or the network answers."""
        if self._session is None:
            session = self._open_session()
            try:
                session.__enter__()
                self._ready(session)
            except Failure as failure:
                session.abandon()
                session.close()
                self.refusal = failure
                raise
            self._session = session
            self.refusal = None
        return self._session

    def close(self) -> None:
        """Say goodbye to the server."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def drop(self) -> None:
        """Forget a broken session without waiting for the other side."""
        if self._session is not None:
            self._session.abandon()
        self.close()

    def abandon(self) -> None:
        """Shut the sockets from another thread: what the line does ends at once."""
        if (session := self._session) is not None:
            session.abandon()
