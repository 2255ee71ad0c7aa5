"""Publishes a file that was kept aside, under a name that no other has; never replaces a file and never records one.

READ may collect a document as soon as it has its name: whoever publishes then finds it in the trash.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ftp_server.folders import Folder, Folders
from ftp_server.names import Names
from transfer.durable import make_folder, same_file, sync_folder
from transfer.fingerprints import Fingerprint, measure


@dataclass(frozen=True)
class Placing:
    """A file kept as ``own`` on its way to READ; collected, it lies in the trash as ``trashed``."""

    own: Path
    trashed: Path
    folders: Folders
    names: Names
    reached: Callable[[str], None] = lambda _: None

    def place(self, wanted: Folder, asked: str) -> tuple[Folder, str]:
        """Publish the file as ``asked`` in ``wanted``, or with the first free counters; return where, synced.

        A file that is published keeps its place, so that this can be repeated after a crash at any instant. One that
        was collected meanwhile is not published again: its name is then the one it was collected under.
        """
        there = path_of(self.own, self.folders.files)
        if there is None:
            collected = path_of(self.own, self.trashed.parent)  # after the look at what is published: it moves that way
            if collected:
                return wanted, asked if collected == self.trashed else collected.name
            folder = self.folders.free_of_documents(wanted)
            target = self.folders.published(folder)
            make_folder(target)
            there = target / link_free(self.names, self.own, target, asked)
            self.reached("linked")
        sync_folder(there.parent)
        return there.parent.relative_to(self.folders.files).parts, there.name

    def collected(self, folder: Folder, name: str) -> bool:
        """Tell whether the file has left its published place again, and see that it then lies in the trash.

        Somebody may also have taken it away by hand: then what was kept aside goes to the trash, so that no bytes are
        lost. Once the file is let go of, only the trash can tell.
        """
        if not self.own.exists():
            return self.trashed.exists()
        if same_file(self.own, self.folders.published(folder, name)):
            return False
        if not same_file(self.own, self.trashed):
            (path_of(self.own, self.trashed.parent) or self.own).rename(self.trashed)
            sync_folder(self.trashed.parent)
        return True

    def let_go(self) -> None:
        """Remove the name that the file was kept under; it has another by now."""
        self.own.unlink(missing_ok=True)
        sync_folder(self.own.parent)


def path_of(own: Path, folder: Path) -> Path | None:
    """Return another path that a file has in a folder or below, or None; who has only one is found out at once."""
    if own.stat().st_nlink == 1:
        return None
    return next((path for path in folder.rglob("*") if path != own and same_file(own, path)), None)


def link_free(names: Names, own: Path, target: Path, asked: str) -> str:
    """Give a file a second name in a folder, ``asked`` or that with the first free counter; return the name."""
    while True:
        name = names.reserve(target, asked)
        try:
            os.link(own, target / name)
        except FileExistsError:  # it appeared on the disk behind the back of those who give names
            continue
        except OSError:
            names.release(target, name)
            raise
        return name


def stored(path: Path) -> Fingerprint:
    """Measure a file, and return once its bytes are on stable storage."""
    with path.open("r+b") as file:  # Windows syncs only what may be written
        os.fsync(file.fileno())
        return measure(file)
