"""Databases of every earlier version with a row in each table, brought up to date as the product does."""

from datetime import datetime
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from navette_server import ROOT
from sqlalchemy import Connection, MetaData, Table, create_engine, insert, select

from dossiers import tables
from dossiers.database import Database


def config_of() -> Config:
    """Return the migrations of the firm's database."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "dossiers" / "migrations"))
    return config


REVISIONS = [script.revision for script in ScriptDirectory.from_config(config_of()).walk_revisions()]
"""All versions there have been, the present one first."""


def filled(connection: Connection) -> dict[str, dict[str, Any]]:
    """Put a row into each table, with a value in every column, and return them."""
    found = MetaData()
    found.reflect(connection)
    rows = {}
    for table in found.sorted_tables:
        if table.name != "firm_version":
            rows[table.name] = {column.name: _value(column.type.python_type, column.name) for column in table.columns}
            connection.execute(insert(table).values(rows[table.name]))
    return rows


def _value(kind: type, name: str) -> Any:
    if kind is datetime:
        return datetime(2026, 11, 24, 9, 30)  # noqa: DTZ001  as the columns keep it
    return {bool: True, int: 7}.get(kind, name[:2])


def check_upgrade(url: str, revision: str) -> None:
    """Make a database of an earlier version, fill it, open it as the product does, and compare."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = config_of()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        rows = filled(connection)
    assert len(rows) >= 7
    engine.dispose()
    database = Database(url)
    with database.read() as connection:
        for name, row in rows.items():
            table = Table(name, MetaData(), autoload_with=connection)
            (after,) = connection.execute(select(table)).mappings().all()
            assert {key: after[key] for key in row} == row
        context = MigrationContext.configure(connection, opts={"version_table": "firm_version", "compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    database.close()
