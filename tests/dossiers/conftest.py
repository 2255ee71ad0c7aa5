"""Fixtures of the firm's rooms."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_rooms import Clock, add_dossiers, opened

from dossiers.firm import Firm


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until the test turns it."""
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The firm's home."""
    return tmp_path / "home"


@pytest.fixture
def firm(home: Path, clock: Clock) -> Iterator[Firm]:
    """A firm with the dossiers 000204 and 000205."""
    with opened(home, clock) as firm:
        add_dossiers(firm, "000204", "000205")
        yield firm
