"""What was collected or discarded, until it is purged: listed, put back, removed for good; never empties itself.

A document that is put back is first renamed within the trash, so that no purge takes it and so that the server can move
it to the trash again as soon as READ collects it again. Those who give names publish it from there
(:mod:`ftp_server.returning`).
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from ftp_server.database import Database
from ftp_server.deposits import Deposit, Suspect
from ftp_server.doubtful import doubtful_files, one
from ftp_server.folders import Folders
from ftp_server.returning import RETURNING, fiduciaries_below, on_their_way
from ftp_server.suspects import Suspects
from ftp_server.tables import decisions, deposits, suspects
from transfer.durable import sync_folder
from transfer.failures import PermanentFailure

TRASH_DAYS = 30
"""Days that what was removed stays in the trash unless somebody says otherwise."""

_DAY = 86_400.0
_GROUP = 500


class Kind(StrEnum):
    """What lies in the trash."""

    DOCUMENT = "document"  # collected by READ
    SUSPECT = "suspect"  # discarded by the host
    UNRECORDED = "unrecorded"  # removed by READ, and no deposit tells what it was
    RETURNING = "returning"  # on its way back when the program died


@dataclass(frozen=True)
class Trashed:
    """One file in a fiduciary's trash; ``id`` is its name there, ``removed_at`` in seconds since 1970 UTC."""

    id: str
    kind: Kind
    fiduciary: str
    login: str
    folder: str
    name: str
    size: int
    removed_at: float

    def days_left(self, now: float, days: int = TRASH_DAYS) -> int:
        """Return the whole days until a purge may remove it."""
        return max(0, int(days - (now - self.removed_at) / _DAY))


@dataclass(frozen=True)
class Trash:
    """The trash of all fiduciaries below ``root``. Other processes may do the same at once."""

    database: Database
    root: Path
    clock: Callable[[], float]
    reached: Callable[[str], None] = lambda _: None

    def list(self, fiduciary: str | None = None) -> list[Trashed]:
        """Return what lies in the trash, oldest first; files that no row tells of too."""
        found = [each for number in self._fiduciaries(fiduciary) for each in self._of(number)]
        return sorted(found, key=lambda each: (each.removed_at, each.id))

    def restore(self, trashed_id: str) -> None:
        """Decide that a collected document is to be published again, under its name or that with a counter.

        A discarded suspect is put back among the suspects instead: nobody has said that it is whole.
        """
        numbers = self._fiduciaries(None)
        trashed = next((each for number in numbers for each in self._of(number, trashed_id)), None)
        if trashed is None:
            raise PermanentFailure("trash.unknown", id=trashed_id[:40])
        if trashed.kind is Kind.UNRECORDED:
            raise PermanentFailure("trash.not_recorded", name=trashed.name)
        if trashed.kind is Kind.SUSPECT:
            Suspects(self.database, self.root, self.clock, self.reached).take_back(trashed.id)
            return
        folders = Folders.of(self.root, trashed.fiduciary)
        with contextlib.suppress(FileNotFoundError):  # another process restores it
            (folders.trash / trashed.id).rename(folders.trash / (trashed.id + RETURNING))
        sync_folder(folders.trash)
        self.reached("restore.begun")

    def restored(self, trashed_id: str) -> Deposit | Suspect:
        """Return what was put back; raises ``server.unfinished`` when it is not published yet."""
        known_as = trashed_id.removesuffix(RETURNING)
        with self.database.read() as connection:
            row = connection.execute(select(deposits).where(deposits.c.id == known_as)).first()
            if row is None:
                return one(connection, known_as).suspect
        if (Folders.of(self.root, row.fiduciary).trash / (known_as + RETURNING)).exists():
            raise PermanentFailure("server.unfinished", id=known_as)
        return Deposit(**row._mapping)

    def purge(self, days: int, fiduciary: str | None = None) -> int:
        """Remove for good what was removed more than ``days`` days ago; return how many files that were."""
        count = 0
        for number in self._fiduciaries(fiduciary):
            removed = {each.id: each.removed_at for each in self._of(number)}
            count += purge(Folders.of(self.root, number), self.clock(), days, removed)
        return count

    def _fiduciaries(self, only: str | None) -> Iterable[str]:
        return [number for number in fiduciaries_below(self.root) if only in {None, number}]

    def _of(self, fiduciary: str, only: str | None = None) -> Iterator[Trashed]:
        trash = Folders.of(self.root, fiduciary).trash
        sizes: dict[str, tuple[int, float]] = {}
        for path in trash.iterdir() if only is None else _named(trash, only):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                sizes[path.name] = stat.st_size, stat.st_ctime
        known = self._recorded(fiduciary, {name.removesuffix(RETURNING) for name in sizes})
        for name, (size, changed) in sizes.items():
            deposit_id = name.removesuffix(RETURNING)
            row = known.get(deposit_id)
            if row is None:
                yield Trashed(name, Kind.UNRECORDED, fiduciary, "", "", name, size, changed)
            elif deposit_id != name:
                yield replace(row, kind=Kind.RETURNING, size=size)
            else:
                yield replace(row, size=size, removed_at=row.removed_at or changed)

    def _recorded(self, fiduciary: str, ids: "set[str]") -> dict[str, Trashed]:
        """Return what the rows tell of these names; each is asked for by its key alone, which is the fastest."""
        found = {}
        with self.database.read() as connection:
            for group in _groups(sorted(ids)):
                rows = connection.execute(select(deposits).where(deposits.c.id.in_(group))).all()
                for each in (row for row in rows if row.fiduciary == fiduciary):
                    facts = (fiduciary, each.login, each.folder, each.name, each.size, each.collected_at or 0.0)
                    found[each.id] = Trashed(each.id, Kind.DOCUMENT, *facts)
                discarded = suspects.c.id.in_(group) & decisions.c.suspect.is_not(None) & deposits.c.id.is_(None)
                doubtful = doubtful_files(connection, discarded)
                for kept in (each for each in doubtful if each.suspect.fiduciary == fiduciary):
                    one, at = kept.suspect, kept.decision.decided_at if kept.decision else 0.0
                    found[one.id] = Trashed(
                        one.id, Kind.SUSPECT, fiduciary, one.login, one.folder, one.name, one.size, at
                    )
        return found


def purge(folders: Folders, now: float, days: int, removed: Mapping[str, float] | None = None) -> int:
    """Remove for good what was put in the trash more than ``days`` days ago; return how many files that were.

    ``removed`` tells by name when that was, where a row knows: the time of the last change of a file's name, which is
    asked otherwise, is that of its making on Windows. The later one counts. A file that is being published
    or put back stays, under whatever name.
    """
    known = removed or {}
    busy = {_identity(path) for path in (*folders.suspects.iterdir(), *on_their_way(folders))}
    count = 0
    for path in folders.trash.iterdir():
        with contextlib.suppress(FileNotFoundError):  # put back, or purged by another process, a moment ago
            stat = path.stat()
            since = max(stat.st_ctime, known.get(path.name, 0.0))
            if now - since > days * _DAY and (stat.st_dev, stat.st_ino) not in busy:
                path.unlink()
                count += 1
    return count


def _named(trash: Path, name: str) -> Iterable[Path]:
    """Return what a name may stand for in the trash; a path, which could lead out of it, stands for nothing."""
    if name != Path(name).name:
        return []
    return [path for path in (trash / name, trash / (name + RETURNING)) if path.is_file()]


def _identity(path: Path) -> tuple[int, int]:
    with contextlib.suppress(FileNotFoundError):
        stat = path.stat()
        return stat.st_dev, stat.st_ino
    return 0, 0


def _groups(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _GROUP):
        yield ids[start : start + _GROUP]
