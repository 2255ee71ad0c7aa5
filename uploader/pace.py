"""How fast an upload goes and how long it will still take, from its last seconds; never counts by itself."""

from collections import deque

_WINDOW_SECONDS = 8.0
_SOONEST_SECONDS = 2.0
"""Before this much was seen, nothing sensible can be said."""


class Pace:
    """Takes in bytes done at moments, in seconds, that never go back."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """Note that ``done`` bytes were sent in all."""
        if self._seen and now - self._seen[-1][0] < 0.2:  # enough for the eye, and few to keep
            return
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _WINDOW_SECONDS:
            self._seen.popleft()

    def rate(self) -> float | None:
        """Return bytes per second over the last seconds; None while that cannot be told."""
        if len(self._seen) < 2 or self._seen[-1][0] - self._seen[0][0] < _SOONEST_SECONDS:
            return None
        seconds = self._seen[-1][0] - self._seen[0][0]
        return max(0.0, (self._seen[-1][1] - self._seen[0][1]) / seconds)

    def remaining(self, left: int) -> float | None:
        """Return the seconds that ``left`` bytes will probably take."""
        rate = self.rate()
        return left / rate if rate else None
