"""What a logged-in account sees and may do with files; never speaks FTP."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ftp_server.accounts import Account
from ftp_server.deposits import Deposit, Deposits
from ftp_server.folders import Folder, Folders, shown
from ftp_server.listing import Entry
from ftp_server.names import Names
from ftp_server.receiving import Asked
from ftp_server.settling import Settling
from ftp_server.staged import carried
from transfer.fingerprints import measure
from transfer.remote_layout import file_parts, folder_parts

_GONE = "550 There is no such file."


class Refused(Exception):
    """A request that this account is refused; ``reply`` is what the session is told."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass
class DepositView:
    """WRITE: folders are virtual, any safe one is there; files are those that this session deposited, and no others."""

    account: Account
    peer: str
    folder: Folder = ()
    _own: dict[tuple[Folder, str], Deposit] = field(default_factory=dict)

    @property
    def _root(self) -> Folder:
        return (self.account.name.dossier,) if self.account.name.dossier else ()

    def change_folder(self, raw: str) -> None:
        """Go to a folder."""
        self.folder = folder_parts(raw, self.folder)

    def make_folder(self, raw: str) -> str:
        """Answer as if the folder were made: it appears with the first deposit in it."""
        return shown(folder_parts(raw, self.folder))

    def asked(self, raw: str, announced: int | None) -> Asked:
        """Return what a deposit under the path ``raw`` asks for."""
        folder, name = file_parts(raw, self.folder)
        name_of = self.account.name
        return Asked(name_of.fiduciary, name_of.login, self._root + folder, name, self.peer, announced)

    def remember(self, deposit: Deposit, asked: Asked) -> str:
        """Take a deposit into this session's view; return the path it now has there."""
        folder = asked.folder[len(self._root) :]
        self._own[folder, deposit.name] = self._own[folder, asked.name] = deposit
        return shown(folder, deposit.name)

    def entries(self, raw: str) -> list[Entry]:
        """List this session's own deposits in a folder."""
        folder = folder_parts(raw, self.folder)
        own = {deposit.id: deposit for (place, _), deposit in self._own.items() if place == folder}
        return [_entry(deposit) for deposit in own.values()]

    def entry(self, raw: str) -> Entry:
        """Return one of this session's own deposits; everything else is refused as if it did not exist."""
        deposit = self._own.get(file_parts(raw, self.folder))
        if deposit is None:
            raise Refused(_GONE)
        return _entry(deposit)

    def sha256(self, raw: str) -> str:
        """Return the SHA-256 of one of this session's own deposits."""
        return self.entry(raw).sha256 or ""


@dataclass
class CollectView:
    """READ: all that is published for the fiduciary, to retrieve and then remove."""

    account: Account
    folders: Folders
    deposits: Deposits
    settling: Settling
    names: Names
    clock: Callable[[], float]
    folder: Folder = ()

    def change_folder(self, raw: str) -> None:
        """Go to a folder that exists."""
        folder = folder_parts(raw, self.folder)
        if not self.folders.published(folder).is_dir():
            raise Refused("550 There is no such folder.")
        self.folder = folder

    def entries(self, raw: str) -> list[Entry]:
        """List a folder, with the hashes that are on record."""
        folder = folder_parts(raw, self.folder)
        hashes = {deposit.name: deposit.sha256 for deposit in self.deposits.published(self._fiduciary, folder)}
        try:
            with os.scandir(self.folders.published(folder)) as found:
                return [_disk_entry(entry.name, entry.stat(), hashes.get(entry.name)) for entry in found]
        except (FileNotFoundError, NotADirectoryError):
            raise Refused("550 There is no such folder.") from None

    def entry(self, raw: str) -> Entry:
        """Return a published file."""
        path = self.path(raw)
        return _disk_entry(path.name, path.stat(), None)

    def path(self, raw: str) -> Path:
        """Return the disk path of a published file."""
        path = self.folders.published(*file_parts(raw, self.folder))
        if not path.is_file():
            raise Refused(_GONE)
        return path

    def sha256(self, raw: str) -> str:
        """Return a published file's SHA-256, from its receipt or else by reading it."""
        path = self.path(raw)
        receipt = self._receipt(path, *file_parts(raw, self.folder))
        if receipt:
            return receipt.sha256
        with path.open("rb") as file:
            return measure(file).sha256 or ""

    def remove(self, raw: str) -> None:
        """Note that a document was collected, then move it to the trash."""
        path = self.path(raw)
        folder, name = file_parts(raw, self.folder)
        trashed = name
        receipt = self._receipt(path, folder, name)
        if receipt:
            self.deposits.collected(receipt.id, self.clock())
            self._forget_staged(path, receipt.id)
            trashed = receipt.id
        with contextlib.suppress(FileNotFoundError):  # another session of this account was faster
            path.replace(self.folders.trash / trashed)
        self.names.release(path.parent, name)

    def _receipt(self, path: Path, folder: Folder, name: str) -> Deposit | None:
        """Return the receipt that a file carries, else the one on record."""
        return carried(path) or next(iter(self.deposits.published(self._fiduciary, folder, name)), None)

    def _forget_staged(self, path: Path, deposit_id: str) -> None:
        """Remove the staging name, which another process may still hold: the document must never be published again."""
        self.settling.forget(deposit_id)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_nlink > 1:
                for stage in self.folders.staging.glob(f"*/{deposit_id}"):
                    stage.unlink(missing_ok=True)

    @property
    def _fiduciary(self) -> str:
        return self.account.name.fiduciary


View = DepositView | CollectView


def _entry(deposit: Deposit) -> Entry:
    return Entry(deposit.name, False, deposit.size, deposit.received_at, deposit.sha256)


def _disk_entry(name: str, stat: os.stat_result, sha256: str | None) -> Entry:
    is_folder = (stat.st_mode & 0o170000) == 0o040000
    return Entry(name, is_folder, stat.st_size, stat.st_mtime, sha256, "el" if is_folder else "rd")
