"""Fixtures of the mail intake."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_rooms import Clock, add_dossiers, opened

from dossiers.firm import Firm


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The firm's home."""
    return tmp_path / "home"


@pytest.fixture
def firm(home: Path) -> Iterator[Firm]:
    """A firm with the dossiers 000204 and 000205, whose time stands still."""
    with opened(home, Clock()) as firm:
        add_dossiers(firm, "000204", "000205")
        yield firm
