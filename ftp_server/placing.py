"""Publishes a file that was kept aside, beside a server that may run; never replaces a file and never records one.

The server gives names from its memory, which another process cannot see. So the exclusive link decides here as it does
there, and a case twin that appeared at the same moment is found by a look at the folder after the link. READ may
collect a document as soon as it has its name: whoever publishes then finds it in the trash.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transfer.durable import make_folder, same_file, sync_folder
from transfer.fingerprints import Fingerprint, measure
from transfer.safe_names import numbered, twin_key


@dataclass(frozen=True)
class Placing:
    """A file kept as ``own`` on its way into the folder ``target``; collected, it lies in the trash as ``trashed``."""

    own: Path
    target: Path
    trashed: Path
    reached: Callable[[str], None] = lambda _: None

    def place(self, asked: str) -> str:
        """Publish the file as ``asked`` or with the first free counter; return the name, synced in its folder.

        A file that has a name there keeps it, so that this can be repeated after a crash at any instant. One that was
        collected meanwhile is not published again: the name is then the one it was collected under.
        """
        make_folder(self.target)
        while True:
            name = name_of(self.own, self.target)
            if name is None:
                collected = name_of(self.own, self.trashed.parent)  # after the look into target: it only moves that way
                if collected:
                    return asked if collected == self.trashed.name else collected
                name = free_name(self.target, asked)
                try:
                    os.link(self.own, self.target / name)
                except FileExistsError:
                    continue
                self.reached("linked")
            if not _has_twin(self.target, name):
                sync_folder(self.target)
                return name
            if same_file(self.own, self.target / name):
                (self.target / name).unlink()

    def collected(self, name: str) -> bool:
        """Tell whether the file has left its published name again, and see that it then lies in the trash as it should.

        Somebody may also have taken it away by hand: then what was kept aside goes to the trash, so that no bytes are
        lost. Once the file is let go of, only the trash can tell.
        """
        if not self.own.exists():
            return self.trashed.exists()
        if same_file(self.own, self.target / name):
            return False
        if not same_file(self.own, self.trashed):
            there = name_of(self.own, self.trashed.parent)
            (self.trashed.with_name(there) if there else self.own).rename(self.trashed)
            sync_folder(self.trashed.parent)
        return True

    def let_go(self) -> None:
        """Remove the name that the file was kept under; it has another by now."""
        self.own.unlink(missing_ok=True)
        sync_folder(self.own.parent)


def name_of(own: Path, folder: Path) -> str | None:
    """Return another name that a file has in a folder, or None."""
    if own.stat().st_nlink == 1:
        return None
    return next((path.name for path in folder.iterdir() if path != own and same_file(own, path)), None)


def free_name(folder: Path, asked: str) -> str:
    """Return ``asked``, or ``asked`` with the first counter that no name and no case twin in a folder has."""
    taken = {twin_key(path.name) for path in folder.iterdir()}
    name, n = asked, 2
    while twin_key(name) in taken:
        name, n = numbered(asked, n), n + 1
    return name


def stored(path: Path) -> Fingerprint:
    """Measure a file, and return once its bytes are on stable storage."""
    with path.open("r+b") as file:  # Windows syncs only what may be written
        os.fsync(file.fileno())
        return measure(file)


def _has_twin(folder: Path, name: str) -> bool:
    key = twin_key(name)
    return any(path.name != name and twin_key(path.name) == key for path in folder.iterdir())
