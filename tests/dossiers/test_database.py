"""The firm's database: made from nothing, by two programs at once, and fit for other database servers."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from navette_server import ROOT
from sqlalchemy import create_engine, insert, select
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from dossiers import tables
from dossiers.database import Database
from dossiers.firm import Firm
from transfer.failures import PermanentFailure, TemporaryFailure


def test_the_migrations_make_the_tables_from_nothing(tmp_path: Path) -> None:
    """What the migrations make of an empty file is what the code expects, column by column."""
    database = Database(f"sqlite:///{tmp_path / 'firm.db'}")
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "firm_version", "compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    database.close()


def test_the_version_is_that_of_the_last_migration() -> None:
    """A database is taken for complete only if it has had all migrations."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "dossiers" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == tables.VERSION


def test_a_database_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Opening a database of the first version keeps its rows and adds what is new."""
    url = f"sqlite:///{tmp_path / 'firm.db'}"
    config = Config()
    config.set_main_option("script_location", str(ROOT / "dossiers" / "migrations"))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(insert(tables.settings).values(name="x", value="1"))
    engine.dispose()
    database = Database(url)
    with database.read() as connection:
        assert connection.scalars(select(tables.settings.c.name)).all() == ["x"]
        context = MigrationContext.configure(connection, opts={"version_table": "firm_version"})
        assert compare_metadata(context, tables.metadata) == []
    database.close()


def test_programs_that_open_a_new_home_at_once_all_succeed(tmp_path: Path) -> None:
    """Four programs that meet on a new home make its tables, its key and its folders once."""
    code = "import sys, pathlib; from dossiers.firm import Firm; f = Firm(pathlib.Path(sys.argv[1]));"
    code += "print(f.seal.open(f.seal.seal('geheim'))); f.close()"
    command = [sys.executable, "-c", code, str(tmp_path / "home")]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    ended = [one.communicate(timeout=120) for one in running]
    assert [(one.returncode, out, error) for one, (out, error) in zip(running, ended, strict=True)] == [
        (0, b"geheim\n", b"")
    ] * 4


def test_sqlite_commits_are_synced_and_readers_do_not_wait(firm: Firm) -> None:
    """SQLite runs with a write-ahead log that is synced at each commit, and lets a writer wait for another."""
    with firm.database.read() as connection:
        told = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert told == ["wal", 2]
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_a_reader_sees_one_state_while_another_writes(firm: Firm) -> None:
    """What is committed while someone reads shows at the next reading only."""
    query = select(tables.settings.c.name)
    with firm.database.read() as reading:
        before = reading.scalars(query).all()
        with firm.database.write() as writing:
            writing.execute(insert(tables.settings).values(name="x", value="1"))
        assert reading.scalars(query).all() == before
    with firm.database.read() as reading:
        assert reading.scalars(query).all() == [*before, "x"]


def test_what_fails_in_a_transaction_leaves_nothing(firm: Firm) -> None:
    """A transaction that ends by an error is undone as a whole."""

    def fail_after_writing() -> None:
        with firm.database.write() as connection:
            connection.execute(insert(tables.settings).values(name="x", value="1"))
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_writing()
    with firm.database.read() as connection:
        assert connection.scalars(select(tables.settings.c.name)).all() == []


@pytest.mark.parametrize("dialect", [postgresql.dialect(), mssql.dialect()])
def test_all_tables_can_be_made_on_other_database_servers(dialect: Dialect) -> None:
    """PostgreSQL and SQL Server have a statement for each table and index."""
    for table in tables.metadata.sorted_tables:
        assert f"CREATE TABLE {table.name}" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert f"INDEX {index.name} ON {table.name} " in str(CreateIndex(index).compile(dialect=dialect))


def test_a_database_that_cannot_be_opened_is_a_temporary_failure(tmp_path: Path) -> None:
    """A database that is not there is told by its code, not by a traceback of the library."""
    with pytest.raises(TemporaryFailure, match=r"database\.unavailable"):
        Database(f"sqlite:///{tmp_path / 'missing' / 'firm.db'}")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", "database.bad_url"),
        ("ledger://user:Zeer-geheim-9X@host/db", "database.bad_url"),
        ("oracle+oracledb://user:Zeer-geheim-9X@host/db", "database.no_driver"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_showing_it(url: str, code: str) -> None:
    """A URL that is none, of a kind nobody knows, or whose driver is not installed: it may hold a password."""
    with pytest.raises(PermanentFailure) as refused:
        Database(url)
    assert refused.value.code == code
    assert "Zeer-geheim-9X" not in str(refused.value)


def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """An older Navette does not touch what a later one has changed."""
    url = f"sqlite:///{tmp_path / 'firm.db'}"
    database = Database(url)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE firm_version SET version_num = '9999'")
    database.close()
    with pytest.raises(PermanentFailure, match=r"database\.newer"):
        Database(url)


def test_a_full_disk_under_the_database_is_told_as_such(firm: Firm) -> None:
    """A database that cannot grow says so with a code of its own."""
    with firm.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def write_too_much() -> None:
        with firm.database.write() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.execute(insert(tables.settings).values(name="x", value="1" * 200_000))

    with pytest.raises(TemporaryFailure, match=r"database\.full"):
        write_too_much()
