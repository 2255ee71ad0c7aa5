"""What a READ account sees and may do with files: all that is published for its fiduciary; never speaks FTP."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ftp_server.account import Account
from ftp_server.deposits import Deposit
from ftp_server.folders import Folder, Folders, shown
from ftp_server.listing import Entry
from ftp_server.publishing import Publishing
from ftp_server.refused import GONE, Refused
from ftp_server.removal import Identity, identity, to_trash
from ftp_server.staged import carried
from transfer.failures import Failure
from transfer.fingerprints import checksum, measure
from transfer.remote_layout import file_parts, folder_parts

_FRESH = 60.0  # seconds after which a document's row is there, whichever process received it


@dataclass
class CollectView:
    """READ: all that is published for the fiduciary, to retrieve and then remove."""

    account: Account
    folders: Folders
    publishing: Publishing
    clock: Callable[[], float]
    folder: Folder = ()

    def change_folder(self, raw: str) -> None:
        """Go to a folder that exists."""
        folder = folder_parts(raw, self.folder)
        self._listable(folder)
        self.folder = folder

    def entries(self, raw: str, *, hashed: bool = False) -> Iterator[Entry]:
        """List a folder, ``hashed`` with what is on record of its files; one line is read after the other."""
        folder = folder_parts(raw, self.folder)
        path = self._listable(folder)
        if not hashed:
            return _entries(path, lambda *_: None)
        recorded = {each.name: each for each in self.publishing.deposits.published(self._fiduciary, folder)}
        fresh = self.clock() - _FRESH
        return _entries(
            path,
            lambda name, changed: recorded.get(name) or (carried(path / name) if changed > fresh else None),
        )

    def names(self, raw: str) -> Iterator[str]:
        """List the names in a folder, looking at none of the files."""
        return _names(self._listable(folder_parts(raw, self.folder)))

    def _listable(self, folder: Folder) -> Path:
        path = self.folders.published(folder)
        if not path.is_dir():
            raise Refused("550 There is no such folder.")
        return path

    def entry(self, raw: str) -> Entry:
        """Return a published file."""
        path = self._path(raw)
        with _unless_gone():
            return _disk_entry(path.name, path.stat(), None)

    def folder_entry(self, raw: str) -> Entry | None:
        """Return a folder, by its path from the root; None where there is none."""
        try:
            folder = folder_parts(raw, self.folder)
            found = _disk_entry(shown(folder), self.folders.published(folder).stat(), None)
        except (Failure, OSError):
            return None
        return found if found.is_folder else None

    def open(self, raw: str) -> BinaryIO:
        """Open a published file; what another session removes from now on is read to its end all the same."""
        path = self._path(raw)
        with _unless_gone():
            return path.open("rb")

    def _path(self, raw: str) -> Path:
        """Return the disk path of a published file."""
        path = self.folders.published(*file_parts(raw, self.folder))
        if not path.is_file():
            raise Refused(GONE)
        return path

    def sha256(self, raw: str) -> str:
        """Return a published file's SHA-256, from its receipt or else by reading it."""
        receipt = self._receipt(self._path(raw), *file_parts(raw, self.folder))
        if receipt:
            return receipt.sha256
        with self.open(raw) as file:
            return measure(file).sha256 or ""

    def checksum(self, raw: str, kind: str) -> str:
        """Return another checksum of a published file, by reading it."""
        with self.open(raw) as file:
            return checksum(file, kind)

    def remove(self, raws: Sequence[str]) -> list[str]:
        """Note that documents were collected, then move them to the trash; return the refusal of each, or nothing."""
        found: dict[Path, tuple[Deposit | None, Identity]] = {}
        refusals = []
        for raw in raws:
            try:
                path = self._path(raw)
                seen = identity(path)
                receipt = self._receipt(path, *file_parts(raw, self.folder))
                if identity(path) != seen:  # then the receipt may be that of another document
                    raise Refused(GONE)
            except (Refused, Failure, FileNotFoundError):
                refusals.append(GONE)
                continue
            found[path] = receipt, seen
            refusals.append("")
        self.publishing.deposits.collected([receipt.id for receipt, _ in found.values() if receipt], self.clock())
        for path, (receipt, seen) in found.items():
            to_trash(self.publishing, self.folders, path, receipt, seen)
        return refusals

    def _receipt(self, path: Path, folder: Folder, name: str) -> Deposit | None:
        """Return the receipt that a file carries, else the one on record."""
        return carried(path) or next(iter(self.publishing.deposits.published(self._fiduciary, folder, name)), None)

    @property
    def _fiduciary(self) -> str:
        return self.account.name.fiduciary


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    """Refuse a file that was there a moment ago, and that another session collected meanwhile."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(GONE) from None


def _entries(path: Path, known: Callable[[str, float], Deposit | None]) -> Iterator[Entry]:
    with contextlib.suppress(FileNotFoundError), os.scandir(path) as found:  # a folder that goes meanwhile is empty
        for each in found:
            try:
                stat = each.stat()
            except FileNotFoundError:  # collected by another session since
                continue
            yield _disk_entry(each.name, stat, known(each.name, stat.st_mtime))


def _names(path: Path) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError), os.scandir(path) as found:
        for each in found:
            yield each.name


def _disk_entry(name: str, stat: os.stat_result, deposit: Deposit | None) -> Entry:
    is_folder = (stat.st_mode & 0o170000) == 0o040000
    if is_folder or deposit is None:
        return Entry(name, is_folder, stat.st_size, stat.st_mtime, may="el" if is_folder else "rd")
    origin = f"x.login={deposit.login};x.peer={deposit.peer};x.receipt={deposit.id};"
    return Entry(name, False, stat.st_size, stat.st_mtime, deposit.sha256, "rd", origin)
