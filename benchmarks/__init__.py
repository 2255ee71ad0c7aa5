"""Measurements of speed beside other programs; never part of the tests, because a clock decides nothing there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
