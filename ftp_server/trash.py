"""What was collected or discarded, until it is purged: listed, put back, removed for good; never empties itself.

A document that is put back is first renamed within the trash, so that no purge takes it and so that the server can move
it to the trash again as soon as READ collects it again. That name is what a crash leaves, and what
:meth:`Trash.finish` carries on:

==================================  ============================================================
died after                          what is carried on
==================================  ============================================================
the rename within the trash         the document is published
the link                            it keeps the name it has; its folder is synced, the row written
the row                             the name within the trash goes
==================================  ============================================================
"""

import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, select, update

from ftp_server.database import Database
from ftp_server.deposits import Deposit, Suspect
from ftp_server.doubtful import doubtful_files
from ftp_server.folders import Folders, parts_of
from ftp_server.placing import Placing
from ftp_server.suspects import Suspects
from ftp_server.tables import decisions, deposits, suspects
from transfer.durable import sync_folder
from transfer.failures import PermanentFailure

log = logging.getLogger("navette.server")

TRASH_DAYS = 30
"""Days that what was removed stays in the trash unless somebody says otherwise."""

_DAY = 86_400.0
_RETURNING = ".returning"
_ON_ITS_WAY = re.compile(r"[0-9a-f]{32}\.returning")  # no hand-made file that READ removed is taken for one
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

    def restore(self, trashed_id: str) -> Deposit | Suspect:
        """Publish a collected document again, under its name or that with a counter; READ can collect it again.

        A discarded suspect is put back among the suspects instead: nobody has said that it is whole.
        """
        numbers = self._fiduciaries(None)
        trashed = next((each for number in numbers for each in self._of(number, trashed_id)), None)
        if trashed is None:
            raise PermanentFailure("trash.unknown", id=trashed_id[:40])
        if trashed.kind is Kind.UNRECORDED:
            raise PermanentFailure("trash.not_recorded", name=trashed.name)
        if trashed.kind is Kind.SUSPECT:
            kept = Suspects(self.database, self.root, self.clock, self.reached)
            kept.take_back(trashed.id)
            return next(each.suspect for each in kept.list() if each.suspect.id == trashed.id)
        folders = Folders.of(self.root, trashed.fiduciary)
        with self.database.write() as connection:
            _locked(connection, trashed.id)
            with contextlib.suppress(FileNotFoundError):  # another process is about to restore it
                (folders.trash / trashed.id).rename(folders.trash / (trashed.id + _RETURNING))
            sync_folder(folders.trash)
        self.reached("restore.begun")
        self._carry_on(folders, trashed.id)
        with self.database.read() as connection:
            return _locked(connection, trashed.id)

    def purge(self, days: int, fiduciary: str | None = None) -> int:
        """Remove for good what was removed more than ``days`` days ago; return how many files that were."""
        count = 0
        for number in self._fiduciaries(fiduciary):
            removed = {each.id: each.removed_at for each in self._of(number)}
            count += purge(Folders.of(self.root, number), self.clock(), days, removed)
        return count

    def finish(self) -> int:
        """Carry on what a crash left on its way back; return how many documents that were. One that fails waits."""
        returning = []
        for number in self._fiduciaries(None):
            folders = Folders.of(self.root, number)
            returning += [(folders, path.name.removesuffix(_RETURNING)) for path in _returning(folders)]
        for folders, deposit_id in returning:
            try:
                self._carry_on(folders, deposit_id)
            except (OSError, PermanentFailure) as error:  # the disk refuses, or no row tells of it
                log.error("server.unfinished id=%s: %s", deposit_id, error)
        return len(returning)

    def _carry_on(self, folders: Folders, deposit_id: str) -> None:
        """Publish, record, and only then let go of the name within the trash; each step may have been done before."""
        own = folders.trash / (deposit_id + _RETURNING)
        with self.database.write() as connection:  # one process at a time: the others wait for this document
            deposit = _locked(connection, deposit_id)
            if not own.is_file():
                return
            target = folders.published(parts_of(deposit.folder))
            placing = Placing(own, target, folders.trash / deposit_id, lambda step: self.reached(f"restore.{step}"))
            name = placing.place(deposit.name)
            self.reached("restore.synced")
            if not placing.trashed.exists():  # else READ has collected it again, and its row says when
                _change(connection, deposit._replace(name=name, collected_at=None))
        self.reached("restore.recorded")
        with self.database.write() as connection:
            deposit = _locked(connection, deposit_id)
            if not own.is_file():
                return
            if placing.collected(deposit.name) and deposit.collected_at is None:
                _change(connection, deposit._replace(collected_at=self.clock()))
        with self.database.write() as connection:  # what was noted is kept before the name that shows it goes
            _locked(connection, deposit_id)
            placing.let_go()
        self.reached("restore.let_go")

    def _fiduciaries(self, only: str | None) -> Iterable[str]:
        there = sorted(path.name for path in self.root.iterdir()) if self.root.is_dir() else []
        return [number for number in there if only in {None, number}]

    def _of(self, fiduciary: str, only: str | None = None) -> Iterator[Trashed]:
        trash = Folders.of(self.root, fiduciary).trash
        sizes: dict[str, tuple[int, float]] = {}
        for path in trash.iterdir() if only is None else _named(trash, only):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                sizes[path.name] = stat.st_size, stat.st_ctime
        known = self._recorded(fiduciary, {name.removesuffix(_RETURNING) for name in sizes})
        for name, (size, changed) in sizes.items():
            deposit_id = name.removesuffix(_RETURNING)
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
    busy = {_identity(path) for path in (*folders.suspects.iterdir(), *_returning(folders))}
    count = 0
    for path in folders.trash.iterdir():
        with contextlib.suppress(FileNotFoundError):  # put back, or purged by another process, a moment ago
            stat = path.stat()
            since = max(stat.st_ctime, known.get(path.name, 0.0))
            if now - since > days * _DAY and (stat.st_dev, stat.st_ino) not in busy:
                path.unlink()
                count += 1
    return count


def _returning(folders: Folders) -> Iterable[Path]:
    return sorted(path for path in folders.trash.iterdir() if _ON_ITS_WAY.fullmatch(path.name))


def _named(trash: Path, name: str) -> Iterable[Path]:
    """Return what a name may stand for in the trash; a path, which could lead out of it, stands for nothing."""
    if name != Path(name).name:
        return []
    return [path for path in (trash / name, trash / (name + _RETURNING)) if path.is_file()]


def _identity(path: Path) -> tuple[int, int]:
    with contextlib.suppress(FileNotFoundError):
        stat = path.stat()
        return stat.st_dev, stat.st_ino
    return 0, 0


def _locked(connection: Connection, deposit_id: str) -> Deposit:
    """Return a deposit once no other process changes it; SQLite lets only one write anyway."""
    row = connection.execute(select(deposits).where(deposits.c.id == deposit_id).with_for_update()).first()
    if row is None:
        raise PermanentFailure("trash.not_recorded", name=deposit_id[:40])
    return Deposit(**row._mapping)


def _change(connection: Connection, deposit: Deposit) -> None:
    values = {"name": deposit.name, "collected_at": deposit.collected_at}
    connection.execute(update(deposits).where(deposits.c.id == deposit.id).values(values))


def _groups(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _GROUP):
        yield ids[start : start + _GROUP]
