"""Remembers which files of a watched folder were tried, so that none is tried without end; never sends one."""

import math

from transfer.failures import Failure
from uploader.events import Event, Failed, Sent
from uploader.folder import LocalFile

_FIRST_SECONDS, _FACTOR, _LONGEST_SECONDS = 60.0, 3.0, 900.0

_Version = tuple[int, int]


class Attempts:
    """A file that failed comes again after a minute, then later and later; one that arrived but stayed never does.

    Each is due anew as soon as it changes.
    """

    def __init__(self) -> None:
        self._tried: dict[str, tuple[_Version, float, float]] = {}
        self._listed: dict[str, _Version] = {}

    def due(self, files: list[LocalFile], now: float) -> list[LocalFile]:
        """Return the finished files to be tried now."""
        self._listed = {str(file.path): (file.size, file.mtime_ns) for file in files}
        self._tried = {path: tried for path, tried in self._tried.items() if tried[0] == self._listed.get(path)}
        return [file for file in files if file.ready and now >= self._tried.get(str(file.path), (None, 0, 0))[1]]

    def note(self, event: Event, now: float) -> None:
        """Take in what an upload tells of a file."""
        if isinstance(event, Sent) and event.trouble is not None:
            self._put_off(str(event.path), math.inf, 0)
        elif isinstance(event, Failed) and not _ended_by_will(event.failure):
            pause = self._tried.get(str(event.path), (None, 0, _FIRST_SECONDS))[2]
            self._put_off(str(event.path), now + pause, min(pause * _FACTOR, _LONGEST_SECONDS))

    def _put_off(self, path: str, until: float, next_pause: float) -> None:
        if path in self._listed:
            self._tried[path] = self._listed[path], until, next_pause


def _ended_by_will(failure: Failure) -> bool:
    return failure.code == "upload.cancelled"
