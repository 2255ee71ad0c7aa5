"""Every earlier version of the database, with a row in each table, is brought to the present one without losing any."""

from pathlib import Path

import pytest
from earlier_versions import REVISIONS, check_upgrade


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_earlier_version_with_data_is_brought_up_to_date(tmp_path: Path, revision: str) -> None:
    """Whatever version wrote it: all rows and values are there afterwards, and the tables are those of the code."""
    check_upgrade(f"sqlite:///{tmp_path / 'firm.db'}", revision)
