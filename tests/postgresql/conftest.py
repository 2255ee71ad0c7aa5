"""Fixtures of the tests on a PostgreSQL server from Debian; one server for all, a database of its own for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_rooms import Clock
from postgresql import PostgreSQL, running_postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    """The server."""
    with running_postgresql() as running:
        yield running


@pytest.fixture
def url(server: PostgreSQL) -> str:
    """The URL of a new database."""
    return server.new_database()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until the test turns it."""
    return Clock()


@pytest.fixture
def home(tmp_path: Path, url: str) -> Path:
    """A firm's home whose database is on the server."""
    (tmp_path / "home" / "firm").mkdir(parents=True)
    (tmp_path / "home" / "firm" / "database.url").write_text(url)
    return tmp_path / "home"
