"""Waits until something outside the test has happened; never longer than told, and never silently too short."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def until(happened: Callable[[], _T], seconds: float = 15.0, what: str = "it to happen") -> _T:
    """Ask again and again until ``happened`` returns something true, and return that; fail after ``seconds``."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := happened()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        pause.wait(0.02)
    return found
