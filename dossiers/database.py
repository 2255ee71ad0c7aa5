"""Opens the firm's database and brings its tables up to date; never reads or writes a row of them."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
)

from dossiers.tables import VERSION
from transfer.failures import PermanentFailure, TemporaryFailure

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MIGRATIONS = Path(__file__).parent / "migrations"

ABANDONED = 30.0
"""Seconds after which a database server ends the change of a program that says nothing more in the middle of it.

Such a program is frozen or gone; until then it holds its locks, and all others wait.
"""


class Database:
    """The firm's database, for any thread: SQLite by default, PostgreSQL or SQL Server by URL.

    A commit is on stable storage when it returns. Both kinds of block raise ``database.full`` or
    ``database.unavailable`` when the database itself fails, and opening one that a later version of Navette has
    changed is refused with ``database.newer``.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._writing = self._engine.execution_options(writing=True)
        # SQLite lets its writers wait by sleeping ever longer; threads of one program rather take turns.
        self._turn: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        if self._engine.dialect.name == "sqlite":
            self._turn = threading.Lock()
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def write(self, turn: str | None = None) -> Iterator[Connection]:
        """Open a transaction that commits at the end of its ``with`` block; SQLite has one writer at a time.

        ``turn`` names what only one transaction may look at and change at once, on a server too.
        """
        with self._turn, _failures(), self._writing.begin() as connection:
            if turn is not None:
                take_turn(connection, turn)
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection that sees one state of the database and never waits for a writer."""
        with _failures(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a connection that sees one state of the whole database however long it reads."""
        options = {} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with _failures(), self._engine.connect().execution_options(**options) as connection:
            if self.dialect == "postgresql":  # what was read is written elsewhere before the next piece is asked for
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield connection

    @property
    def url(self) -> str:
        """Where it is; may hold a password, and is never shown."""
        return self._engine.url.render_as_string(hide_password=False)

    @property
    def dialect(self) -> str:
        """The kind of database: ``sqlite``, ``postgresql``, ``mssql``."""
        return self._engine.dialect.name

    @property
    def file(self) -> Path | None:
        """The file that an embedded database lies in."""
        named = self._engine.url.database
        return Path(named) if self.dialect == "sqlite" and named else None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        version = self._version()
        if version == VERSION:
            return
        if version is not None and version > VERSION:
            raise PermanentFailure("database.newer", found=version, known=VERSION)
        try:
            with self.write() as connection:
                _upgrade(connection)
        except (
            DBAPIError,
            TemporaryFailure,
        ):  # where a transaction does not keep others out, another program may have made the tables
            if self._version() != VERSION:
                raise

    def _version(self) -> str | None:
        try:
            with self.read() as connection:
                return connection.execute(text("SELECT version_num FROM firm_version")).scalar()
        except (DBAPIError, TemporaryFailure):  # no such table: a new database, or one that cannot be opened at all
            return None


def take_turn(connection: Connection, name: str) -> None:
    """Wait until no other transaction has the turn of that name, and hold it until this one ends.

    What other holders committed is seen afterwards. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": crc32(name.encode())})
    elif connection.dialect.name == "mssql":
        lock = "EXEC sp_getapplock @Resource = :name, @LockMode = 'Exclusive', @LockTimeout = 30000"
        connection.execute(text(lock), {"name": f"navette {crc32(name.encode())}"})


def _engine(url: str) -> Engine:
    """Make what opens connections; refused with codes, which never show the URL: it may hold a password."""
    try:
        options = {"options": f"-c idle_in_transaction_session_timeout={round(ABANDONED * 1000)}"}
        arguments = options if url.startswith("postgresql") else {}
        pinged = not url.startswith("sqlite")  # a server that went away may be back
        return create_engine(url, pool_pre_ping=pinged, connect_args=arguments)
    except ModuleNotFoundError as error:
        raise PermanentFailure("database.no_driver", driver=error.name) from None
    except (ArgumentError, NoSuchModuleError):
        raise PermanentFailure("database.bad_url") from None


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        cause = error.orig
        if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF in _DAMAGED:
            raise PermanentFailure("database.damaged", told=str(cause)[:200]) from error
        passing = isinstance(error, OperationalError | IntegrityError)  # the latter when two make the same row at once
        if not passing and not error.connection_invalidated:
            raise
        if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise TemporaryFailure("database.full") from error
        if getattr(cause, "sqlstate", None) == "53100":  # PostgreSQL's disk is full
            raise TemporaryFailure("database.full") from error
        raise TemporaryFailure("database.unavailable") from error


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # sqlite3 must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the right to write at once: a reader that turns writer could be refused in the middle."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
