"""Fixtures of the mail intake."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_rooms import Clock, add_dossiers, opened
from mail_server import MailServer, mail_server

from dossiers.firm import Firm


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The firm's home."""
    return tmp_path / "home"


@pytest.fixture
def clock() -> Clock:
    """A clock that the test turns."""
    return Clock()


@pytest.fixture
def firm(home: Path, clock: Clock) -> Iterator[Firm]:
    """A firm with the dossiers 000204 and 000205, whose time stands still."""
    with opened(home, clock) as firm:
        add_dossiers(firm, "000204", "000205")
        yield firm


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    """A mail server for all tests of this module."""
    with mail_server() as server:
        yield server


@pytest.fixture
def server(running: MailServer) -> MailServer:
    """The server with an empty inbox."""
    running.empty()
    return running
