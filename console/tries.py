"""Counts the tries of those who sign in, so that nobody guesses fast; never knows a password."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

MOST, WINDOW = 5, 60.0
"""Tries that one name has from one address, within so many seconds."""

MOST_OF_ADDRESS = 30
"""Tries that one address has for all names together in that time."""

_MOST_KEYS = 20_000


class Tries:
    """The tries of the last minute, for any thread; ``clock`` gives seconds and never jumps."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._tries: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def may_try(self, name: str, address: str) -> bool:
        """Count a try of a name from an address, and tell whether it is allowed."""
        moment = self._clock()
        with self._turn:
            allowed = self._counted((name.strip().casefold()[:64], address), MOST, moment)
            return self._counted(("", address), MOST_OF_ADDRESS, moment) and allowed

    def forget(self, name: str, address: str) -> None:
        """Forget the tries of a name from an address: it got in."""
        with self._turn:
            self._tries.pop((name.strip().casefold()[:64], address), None)

    def _counted(self, key: tuple[str, str], most: int, moment: float) -> bool:
        times = self._tries.setdefault(key, deque(maxlen=most))
        self._tries.move_to_end(key)
        if len(self._tries) > _MOST_KEYS:
            self._tries.popitem(last=False)
        if len(times) == most and moment - times[0] < WINDOW:
            return False
        times.append(moment)
        return True
