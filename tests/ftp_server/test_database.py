"""The server's database: who waits for whom, and how an older one is brought up to date."""

from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from ftp_server import database as database_module
from ftp_server.database import Database

DECISIONS = ScriptDirectory(str(Path(database_module.__file__).parent / "migrations")).get_revision("0003")


def migrated(home: Path) -> Database:
    database = Database(f"sqlite:///{home / 'server.db'}")
    database.migrate()
    return database


def test_readers_wait_for_nobody(tmp_path: Path) -> None:
    """While a transaction writes, others read what was committed before it, at once."""
    database = migrated(tmp_path)
    with database.write() as writing:
        writing.execute(text("INSERT INTO fiduciaries (number, name, created_at) VALUES ('570013', '', 0)"))
        with database.read() as reading:
            assert reading.scalar(text("SELECT count(*) FROM fiduciaries")) == 0
    with database.read() as reading:
        assert reading.scalar(text("SELECT count(*) FROM fiduciaries")) == 1
    database.close()


def test_an_older_database_gets_the_decisions(tmp_path: Path) -> None:
    """A database made before suspects could be decided on keeps its suspects and gets the table."""
    older = migrated(tmp_path)
    with older.write() as connection:
        connection.execute(text("INSERT INTO suspects VALUES ('a', '570013', '', '/', 'n', 1, 'reset', '', 0)"))
        connection.execute(text("DROP TABLE suspect_decisions"))
        connection.execute(text("DROP TABLE bans"))
        connection.execute(text("DROP INDEX ix_deposits_received_at"))
        connection.execute(text("CREATE INDEX ix_deposits_retry_key ON deposits (retry_key)"))
        connection.execute(
            text("UPDATE alembic_version SET version_num = :before"), {"before": DECISIONS.down_revision}
        )
    older.close()
    newer = migrated(tmp_path)
    with newer.read() as connection:
        assert "suspect_decisions" in inspect(connection).get_table_names()
        assert connection.scalar(text("SELECT count(*) FROM suspects")) == 1
    newer.close()
