"""Does slow looking, at folders and into files, in a thread of its own; never lets the window wait for a disk."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Looker(Generic[_T]):
    """Runs one ``look`` at a time in a daemon thread: a drive that hangs keeps neither the window nor the end waiting.

    All methods belong to one thread; ``look`` must not raise.
    """

    def __init__(self) -> None:
        self._found: SimpleQueue[_T] = SimpleQueue()
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether a look is under way, or was not taken yet."""
        return self._busy

    def begin(self, look: Callable[[], _T]) -> None:
        """Start a look; the one before must have been taken."""
        assert not self._busy
        self._busy = True
        threading.Thread(target=lambda: self._found.put(look()), name="looking", daemon=True).start()

    def take(self, patience: float = 0) -> _T | None:
        """Return what a look has found, if it ends within ``patience`` seconds; None while it goes on."""
        try:
            found = self._found.get(timeout=patience) if patience else self._found.get_nowait()
        except Empty:
            return None
        self._busy = False
        return found
