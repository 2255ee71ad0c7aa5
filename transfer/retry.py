"""How often and after which pauses something is tried again; never waits by itself without the wait it was given."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from transfer.failures import TemporaryFailure

Wait = Callable[[float], None]
"""Waits that many seconds; tests pass one that only notes them."""

_T = TypeVar("_T")


def pauses(attempts: int = 3, first: float = 5.0, factor: float = 3.0, longest: float = 900.0) -> Iterator[float]:
    """Yield the seconds to wait before each further attempt: 5, 15 (for three attempts)."""
    pause = first
    for _ in range(attempts - 1):
        yield min(pause, longest)
        pause *= factor


def retrying(action: Callable[[], _T], wait: Wait, attempts: int = 3, first: float = 5.0) -> _T:
    """Run ``action``, again after each temporary failure until the attempts are used up; others pass at once."""
    for pause in pauses(attempts, first):
        try:
            return action()
        except TemporaryFailure:
            wait(pause)
    return action()
