"""Fixtures of the fetcher: a firm in this process, and a plain server that fails where the test wants."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from collecting import Collecting
from firm_rooms import Clock, add_dossiers, opened
from plain_server import PlainServer, plain_server


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until the test turns it."""
    return Clock()


@pytest.fixture
def collecting(tmp_path: Path, clock: Clock) -> Iterator[Collecting]:
    """A firm with the dossiers 000204 and 000205."""
    with opened(tmp_path / "home", clock) as firm:
        add_dossiers(firm, "000204", "000205")
        yield Collecting(firm, clock)


@pytest.fixture
def server(tmp_path: Path, collecting: Collecting) -> Iterator[PlainServer]:
    """A plain server from which that firm collects."""
    with plain_server(tmp_path / "server") as running:
        collecting.collect_from(running.connection)
        yield running
