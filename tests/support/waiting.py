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


def still(look: Callable[[], _T], seconds: float = 0.5) -> Callable[[], _T | None]:
    """Return a question for :func:`until`: what ``look`` sees, once that has stayed the same for ``seconds``."""
    seen = [look()]
    since = [time.monotonic()]

    def ask() -> _T | None:
        now = look()
        if now != seen[0]:
            seen[0], since[0] = now, time.monotonic()
        return now if time.monotonic() - since[0] >= seconds else None

    return ask
