"""What a round asks of an FTP server about its files, on our own server and on any other; never removes one."""

import io

from dossiers.document import Arrival, Destination
from dossiers.dossier import every
from dossiers.firm import Firm
from dossiers.waiting_list import ARCHIVED_DOSSIER, NO_DOSSIER, UNKNOWN_DOSSIER
from fetcher.plan import settled
from fetcher.trial import is_trial
from transfer.client_ini import Connection
from transfer.fingerprints import Fingerprint
from transfer.ftp_session import FtpSession, RemoteFile
from transfer.remote_layout import dossier_of, kind_of
from transfer.retry import Wait
from transfer.safe_names import safe_name
from transfer.wire_names import readable

ORIGIN = "ftp"
"""The kind of source these documents come from."""


def source_name(connection: Connection) -> str:
    """Return what tells this server and account from any other in the database."""
    return f"{connection.user}@{connection.host}:{connection.port}"


def look(session: FtpSession, wait: Wait, settle_seconds: int) -> tuple[list[RemoteFile], list[RemoteFile]]:
    """Return all files of the server, and those that may be taken.

    On our own server every file that is seen is whole. On any other they are looked at twice, ``settle_seconds`` apart.
    """
    listed = _documents(session)
    if session.is_navette or not listed:
        return listed, listed
    wait(settle_seconds)
    again = _documents(session)
    return again, settled(listed, again)


def _documents(session: FtpSession) -> list[RemoteFile]:
    return [file for file in session.walk() if not is_trial(file.path)]


def present_bytes(session: FtpSession, file: RemoteFile) -> Fingerprint:
    """Return what a remote file holds now: as our own server tells it, else by receiving it once more."""
    sha256 = session.sha256(file.path)
    if sha256 is None or file.size is None:
        return session.retrieve(file.path, _Nowhere())
    return Fingerprint(file.size, sha256)


def looks(session: FtpSession, files: list[RemoteFile]) -> list[RemoteFile]:
    """Return how files look now, to compare before they are fetched and before they are removed.

    Our own server never changes a file; any other is asked, and only one answer is compared with another: its listing
    may tell the time of change in another way.
    """
    return files if session.is_navette else session.look_again([file.path for file in files])


class Destinations:
    """Where the files of a server go, as the dossiers stand at the start of a round."""

    def __init__(self, firm: Firm) -> None:
        self._root, self._moment = firm.root, firm.clock()
        self._waiting = firm.waiting_folder
        self._dossiers = {dossier.number.casefold(): dossier for dossier in every(firm, archived=True)}
        self._known: dict[tuple[str | None, str | None], Destination] = {}

    def of(self, file: RemoteFile) -> Destination:
        """Return where a remote file goes: its first folder names the dossier, the next one in it the kind."""
        place = dossier_of(file.path), _kind(file)
        if place not in self._known:
            self._known[place] = self._destination(*place)
        return self._known[place]

    def arrival(self, source: str, file: RemoteFile, sha256: str | None) -> Arrival:
        """Return a remote file as an arrival; its name is made safe."""
        name = safe_name(readable(file.path.rpartition("/")[2]))
        to, kind = self.of(file), _kind(file)
        who = (file.sender.login, file.sender.peer, file.sender.receipt) if file.sender else ()
        return Arrival(ORIGIN, source, file.path, name, to, file.size, file.modified, sha256, kind, *who)

    def _destination(self, number: str | None, kind: str | None) -> Destination:
        if number is None:
            return Destination.waiting(self._waiting, NO_DOSSIER)
        dossier = self._dossiers.get(number.casefold())
        if dossier is None or dossier.archived:
            return Destination.waiting(self._waiting, ARCHIVED_DOSSIER if dossier else UNKNOWN_DOSSIER)
        return Destination.in_dossier(dossier, self._root, self._moment, kind)


def _kind(file: RemoteFile) -> str | None:
    kind = readable(kind_of(file.path))
    return safe_name(kind) if kind else None


class _Nowhere(io.BytesIO):
    """Takes bytes and keeps none."""

    def write(self, block: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        return len(block)
