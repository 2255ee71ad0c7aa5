"""The file that holds the history: opened, brought up to date, written safely by many; never knows what it holds."""

import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transfer.failures import PermanentFailure

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    stored_as TEXT NOT NULL,
    proof TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    fate TEXT NOT NULL,
    kept_as TEXT,
    received_at TEXT,
    collected_at TEXT
);
CREATE INDEX IF NOT EXISTS sent_by_file ON sent (target, path);
CREATE TABLE IF NOT EXISTS placing (
    target TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    stored_as TEXT NOT NULL,
    part TEXT,
    PRIMARY KEY (target, path)
);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_ADDED = ("received_at TEXT", "collected_at TEXT")
"""Columns that a history written by the first uploaders lacks."""


@dataclass
class _Write:
    change: Callable[[sqlite3.Connection], object]
    done: bool = False
    error: sqlite3.Error | None = None


class HistoryFile:
    """An SQLite file that several threads use. Raises ``history.unusable`` when the disk or the file refuses."""

    def __init__(self, folder: Path) -> None:
        self._reads = threading.Lock()
        self._commits = threading.Lock()
        self._pending: deque[_Write] = deque()
        with unusable():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self.database = _opened(folder / "history.db")
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                _set_aside(folder)
                self.database = _opened(folder / "history.db")
            self._reader = connect(folder / "history.db", busy_seconds=10)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self.database.close()

    def write(self, change: Callable[[sqlite3.Connection], object]) -> None:
        """Return once a change is on the disk. Threads that wait together wait for one commit together."""
        mine = _Write(change)
        self._pending.append(mine)
        with self._commits, unusable():
            if not mine.done:
                self._commit([self._pending.popleft() for _ in range(len(self._pending))])
            if mine.error is not None:
                raise mine.error

    def _commit(self, batch: list[_Write]) -> None:
        error: sqlite3.Error | None = None
        try:
            with self.database:
                self.database.execute("BEGIN IMMEDIATE")
                for one in batch:
                    one.change(self.database)
        except sqlite3.Error as refused:
            error = refused
        for one in batch:
            one.done, one.error = True, error

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees all that was written, and does not wait for what is being written."""
        with self._reads, unusable():
            yield self._reader


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open an SQLite file for several threads; every statement stands alone unless it begins a transaction."""
    return sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)


def _opened(path: Path) -> sqlite3.Connection:
    database = connect(path, busy_seconds=10)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(_SCHEMA)
        _add_columns(database)
    except BaseException:
        database.close()
        raise
    return database


def _add_columns(database: sqlite3.Connection) -> None:
    """Bring a history of an earlier uploader up to date; of two that start at once, one waits for the other."""
    with database:
        database.execute("BEGIN IMMEDIATE")
        known = {row[1] for row in database.execute("PRAGMA table_info(sent)")}
        for column in _ADDED:
            if column.partition(" ")[0] not in known:
                database.execute(f"ALTER TABLE sent ADD COLUMN {column}")


def _set_aside(folder: Path) -> None:
    """Keep a damaged history beside the new one: it may still be read by someone, but not by us."""
    for name in ("history.db", "history.db-wal", "history.db-shm"):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).replace(folder / f"damaged-{name}")


@contextlib.contextmanager
def unusable() -> Iterator[None]:
    """Turn what SQLite and the disk raise into ``history.unusable``."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise PermanentFailure("history.unusable", reason=type(error).__name__) from error
