"""What each process of a running server has done so far, in a small file of its own; never of earlier runs."""

import json
import logging
import os
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ftp_server.deposits import Deposit
from ftp_server.file_session import FileSession
from ftp_server.running import is_alive, running_folder
from ftp_server.session import Session
from ftp_server.whole_file import replace_file

log = logging.getLogger("navette.server")


@dataclass(frozen=True)
class Told:
    """What one process tells: sessions, logged in ones and transfers now; the rest counted since its start.

    ``number`` is its place among the server's processes, ``at`` when it told this (seconds since 1970 UTC).
    """

    pid: int
    number: int
    since: float
    at: float
    fingerprint: str
    sessions: int
    logged_in: int
    transfers: int
    deposits: int
    bytes: int
    failed_logins: int
    banned_logins: int


class Tally:
    """Counts in one process of a server, from any thread."""

    def __init__(self, home: Path, number: int, since: float) -> None:
        self._path = running_folder(home) / f"{os.getpid()}.json"
        self._number = number
        self._since = since
        self._lock = threading.Lock()
        self._deposits = self._bytes = self._failed_logins = self._banned_logins = 0

    def counting(self, deposited: Callable[[Deposit], None]) -> Callable[[Deposit], None]:
        """Return what counts a document and then tells ``deposited`` of it."""

        def counted(deposit: Deposit) -> None:
            with self._lock:
                self._deposits += 1
                self._bytes += deposit.size
            deposited(deposit)

        return counted

    def refused(self, banned: bool) -> None:
        """Count a refused login, apart if a ban refused it whatever the password was."""
        with self._lock:
            self._banned_logins += banned
            self._failed_logins += not banned

    def tell(self, sessions: Collection[Session], fingerprint: str, now: float) -> None:
        """Write what there is to tell; a disk that takes nothing any more ends no session."""
        under_way = list(sessions)
        told = Told(
            pid=os.getpid(),
            number=self._number,
            since=self._since,
            at=now,
            fingerprint=fingerprint,
            sessions=len(under_way),
            logged_in=sum(session.account is not None for session in under_way),
            transfers=sum(session.transferring for session in under_way),
            deposits=self._deposits,
            bytes=self._bytes,
            failed_logins=self._failed_logins,
            banned_logins=self._banned_logins,
        )
        try:
            replace_file(self._path, json.dumps(asdict(told)).encode(), durable=False)
        except OSError as error:
            log.warning("server.not_told %s", error)

    def end(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


class CountedSession(FileSession):
    """A session whose refused logins are counted."""

    tally: Tally

    def refused(self, banned: bool) -> None:
        """Count a refused login."""
        self.tally.refused(banned)


def all_told(home: Path, since: float) -> Sequence[Told]:
    """Return what the living processes of a server tell that runs since then, in the order of their places."""
    found = []
    for path in (home / "running").glob("[0-9]*.json"):
        with suppress(OSError, ValueError, TypeError):
            told = Told(**json.loads(path.read_bytes()))
            found += [told] if told.since >= since and is_alive(told.pid) else []
    return sorted(found, key=lambda told: told.number)
