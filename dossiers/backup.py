"""Copies the whole database into one file and back, of whatever kind it is, and looks whether it is sound.

A backup is an SQLite file with the same tables; so it is also the way from the embedded database to a server. It never
holds the key that secrets are sealed with.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, text, update

from dossiers.database import Database
from dossiers.designation import holder
from dossiers.firm import Firm
from dossiers.settings import SETTINGS
from dossiers.tables import VERSION, lease, metadata
from transfer.durable import sync_folder
from transfer.failures import Failure, PermanentFailure

_AT_ONCE = 1000


@dataclass(frozen=True)
class Checked:
    """A sound database: its kind and version, and how many documents and steps of the journal it holds."""

    dialect: str
    version: str
    documents: int
    steps: int


def check(firm: Firm) -> Checked:
    """Look whether the database is sound; refused with ``database.damaged`` or a ``sealing.`` code when it is not."""
    with firm.database.snapshot() as connection:
        if firm.database.dialect == "sqlite":
            told = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
            if told != "ok":
                raise PermanentFailure("database.damaged", told=str(told)[:200])
        counts = {table.name: _count(connection, table) for table in metadata.sorted_tables}  # all can be read
    for setting in SETTINGS:
        if setting.secret:
            firm.settings.text(setting.name)  # opens with the key that is here
    return Checked(firm.database.dialect, VERSION, counts["documents"], counts["journal"])


def backup(firm: Firm, file: Path) -> int:
    """Copy one state of the database into a new file, while others go on, and return how many rows that were.

    A file that is there is refused with ``backup.exists``.
    """
    if file.exists():
        raise PermanentFailure("backup.exists", file=str(file))
    with _own_folder(file.parent) as aside:
        made = aside / file.name
        target = Database(f"sqlite:///{made}")
        try:
            with firm.database.snapshot() as source, target.write() as connection:
                rows = _copied(source, connection)
        finally:
            target.close()
        try:
            file.hardlink_to(made)  # never over another, and only once it is whole
        except FileExistsError:
            raise PermanentFailure("backup.exists", file=str(file)) from None
        sync_folder(file.parent)
    return rows


def restore(firm: Firm, file: Path) -> tuple[int, Path]:
    """Replace all rows by those of a backup, in one transaction; return how many, and where the present ones are kept.

    Refused with ``backup.not_one`` for any other file, and with ``backup.runs`` while the service runs.
    """
    running = holder(firm)
    if running is not None:
        raise PermanentFailure("backup.runs", machine=running[0])
    kept = firm.home / "firm" / f"before-restore-{firm.clock():%Y%m%d-%H%M%S}.db"
    with _own_folder(firm.home / "firm") as aside:
        source = _opened(file, aside / "copy.db")
        try:
            backup(firm, kept)
            with source.snapshot() as rows, firm.database.write() as connection:
                leases = connection.execute(select(lease)).mappings().all()
                for table in reversed(metadata.sorted_tables):
                    connection.execute(delete(table))
                count = _copied(rows, connection)
                _fence_off(connection, leases)
        finally:
            source.close()
    return count, kept


def _opened(file: Path, copy: Path) -> Database:
    """Open a copy of a backup, which may be of an earlier version; a database of anything else is refused."""
    try:
        shutil.copyfile(file, copy)
        with closing(sqlite3.connect(copy)) as raw:
            raw.execute("SELECT version_num FROM firm_version").fetchone()
        return Database(f"sqlite:///{copy}")
    except (OSError, sqlite3.Error, Failure):
        raise PermanentFailure("backup.not_one", file=str(file)) from None


def _fence_off(connection: Connection, leases: Sequence[RowMapping]) -> None:
    """Let no epoch come back: a program that was thought dead before the restoring must stay fenced off."""
    restored = set(connection.scalars(select(lease.c.name)))
    for row in leases:
        later = row["epoch"] + 1
        if row["name"] not in restored:
            connection.execute(insert(lease).values({**row, "epoch": later}))
        mine = lease.c.name == row["name"], lease.c.epoch < later
        connection.execute(update(lease).where(*mine).values(epoch=later))


def _copied(source: Connection, target: Connection) -> int:
    count = 0
    for table in metadata.sorted_tables:
        rows = source.execution_options(yield_per=_AT_ONCE).execute(select(table))
        for part in rows.mappings().partitions(_AT_ONCE):
            target.execute(insert(table), [dict(row) for row in part])
            count += len(part)
        _number_on(target, table)
    return count


def _number_on(connection: Connection, table: Table) -> None:
    """Let a server number new rows after those that came with their numbers."""
    if connection.dialect.name == "postgresql" and "id" in table.c:
        number = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), coalesce(max(id), 0) + 1, false)"
        connection.execute(text(f"{number} FROM {table.name}"))


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


@contextmanager
def _own_folder(beside: Path) -> Iterator[Path]:
    """Make a folder of our own on the volume of another one, gone in the end."""
    try:
        aside = tempfile.TemporaryDirectory(prefix=".navette-backup-", dir=beside)
    except OSError:
        raise PermanentFailure("backup.no_folder", folder=str(beside)) from None
    with aside:
        yield Path(aside.name)
