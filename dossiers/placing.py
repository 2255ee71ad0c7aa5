"""Chooses names that are free in a folder, for all writers of the database, and takes them; never moves bytes."""

from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import Connection, select

from dossiers import tables
from dossiers.database import take_turn
from dossiers.disk import Disk
from dossiers.document import State
from transfer.safe_names import numbered, twin_key

_documents = tables.documents
_assignments = tables.assignments


class FreeNames:
    """The names that are free in folders during one transaction: on the disk, and not promised to another document.

    A promise is a row that is being placed, or that of a document on its way out of the folder: what is removed under
    its name in the end must be its own file, never that of another with the same bytes. Those who choose in one folder
    take turns, so that two who do so at the same moment never choose the same name, nor two that Windows or macOS could
    not tell apart.
    """

    def __init__(self, connection: Connection, disk: Disk, folders: Iterable[Path]) -> None:
        self._connection = connection
        self._disk = disk
        self._taken: dict[Path, set[str]] = {}
        for folder in sorted(map(str, set(folders))):  # all in one order, so that nobody waits for one who waits
            take_turn(connection, f"names in {folder}")

    def take(self, folder: Path, name: str) -> str:
        """Return ``name``, or the first of ``name(2)``, ``name(3)`` … that is free, and hold it from now on."""
        if folder not in self._taken:
            self._taken[folder] = self._disk.taken(folder) | self._promised(folder)
        taken = self._taken[folder]
        chosen, n = name, 1
        while twin_key(chosen) in taken:
            n += 1
            chosen = numbered(name, n)
        taken.add(twin_key(chosen))
        return chosen

    def _promised(self, folder: Path) -> set[str]:
        placing = select(_documents.c.placed_key).where(
            _documents.c.state == State.PLACING.value, _documents.c.folder == str(folder)
        )
        assigning = select(_assignments.c.placed_key).where(
            _assignments.c.state == State.PLACING.value, _assignments.c.folder == str(folder)
        )
        leaving = map(Path, self._connection.scalars(select(_assignments.c.source)))
        left = {twin_key(file.name) for file in leaving if file.parent == folder}
        return left.union(self._connection.scalars(placing.union(assigning)))


def link(disk: Disk, part: Path, final: Path, choose_again: Callable[[], Path]) -> Path:
    """Give a part its final name, or the next one that ``choose_again`` chooses and records; return the name it has.

    A part that has the name already (the program died just after) is as good.
    """
    while not disk.same_file(part, final):
        try:
            disk.link(part, final)
            break
        except FileExistsError:  # taken since it was chosen, by another program
            final = choose_again()
    return final
