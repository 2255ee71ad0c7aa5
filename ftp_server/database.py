"""Opens the server's database and brings its tables up to date; never reads or writes a row."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event

_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """The server's database, for any thread; SQLite commits are synced before they return."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_writing)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    def migrate(self) -> None:
        """Bring the tables up to date."""
        with self.write() as connection:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at the end of its ``with`` block; SQLite writers wait for each other."""
        return self._engine.begin()

    def read(self) -> AbstractContextManager[Connection]:
        """Open a connection for reading: each statement sees what is committed, and nobody waits."""
        return self._reading.connect()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # sqlite3 must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_writing(connection: Connection) -> None:
    """Take the lock for writing at once; one that only reads (and commits by itself) must not wait for it."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
