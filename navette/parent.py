"""Ends a part of ``navette up`` with the program that started it, however that one ends; never ends anything else."""

import os
import sys
import threading
from collections.abc import Callable

HELD = "NAVETTE_HELD"
"""Set for a part whose standard input its starter holds open for as long as it lives."""


def end_with_parent(stop: Callable[[], None]) -> None:
    """Call ``stop`` once the starter is gone, killed or not; does nothing for a program started by hand."""
    if os.environ.pop(HELD, None):
        threading.Thread(target=_wait, args=(stop,), daemon=True).start()


def _wait(stop: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 1):  # nothing is ever written there: this waits for the end
        continue
    stop()
