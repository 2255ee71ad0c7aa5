"""What a round asks of an FTP server about its files, on our own server and on any other; never removes one."""

import io

from dossiers.document import Arrival, Destination
from dossiers.dossier import every
from dossiers.firm import Firm
from dossiers.waiting_list import NO_DOSSIER, UNKNOWN_DOSSIER
from fetcher.plan import settled
from transfer.client_ini import Connection
from transfer.fingerprints import Fingerprint
from transfer.ftp_session import FtpSession, RemoteFile
from transfer.remote_layout import dossier_of
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
    listed = list(session.walk())
    if session.is_navette or not listed:
        return listed, listed
    wait(settle_seconds)
    again = list(session.walk())
    return again, settled(listed, again)


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
        root, moment = firm.root, firm.clock()
        self._waiting = firm.waiting_folder
        self._dossiers = {
            dossier.number.casefold(): Destination.in_dossier(dossier, root, moment) for dossier in every(firm)
        }

    def arrival(self, source: str, file: RemoteFile, sha256: str | None) -> Arrival:
        """Return a remote file as an arrival: its first folder names the dossier, its name is made safe."""
        number = dossier_of(file.path)
        if number is None:
            to = Destination.waiting(self._waiting, NO_DOSSIER)
        else:
            to = self._dossiers.get(number.casefold()) or Destination.waiting(self._waiting, UNKNOWN_DOSSIER)
        name = safe_name(readable(file.path.rpartition("/")[2]))
        return Arrival(ORIGIN, source, file.path, name, to, file.size, file.modified, sha256)


class _Nowhere(io.BytesIO):
    """Takes bytes and keeps none."""

    def write(self, block: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        return len(block)
