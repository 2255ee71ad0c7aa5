"""Lists the files of the chosen folder and tells which are still being written; never opens one of them."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from transfer.failures import PermanentFailure
from transfer.in_progress import is_in_progress

SETTLE_SECONDS = 3.0
"""A file whose size and time did not change for this long counts as finished."""

_NEVER = frozenset({"thumbs.db", "desktop.ini"})
_HIDDEN_ON_WINDOWS = stat.FILE_ATTRIBUTE_HIDDEN | stat.FILE_ATTRIBUTE_SYSTEM


@dataclass(frozen=True)
class LocalFile:
    """A file of the folder: size in bytes, time of change, and whether it stands still long enough to be sent."""

    path: Path
    size: int
    mtime_ns: int
    ready: bool


class Folder:
    """The folder a client sends from. It remembers its last look, to notice files that still change.

    ``extensions`` (such as ``.pdf``, lower case) leave all others out; empty takes any. ``never`` are files that
    are not the client's documents: the INI, the program.
    """

    def __init__(
        self,
        path: Path,
        extensions: Iterable[str] = (),
        never: Iterable[Path] = (),
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self.path = path.absolute()
        self._extensions = tuple(extensions)
        self._never = frozenset(os.path.normcase(left_out.absolute()) for left_out in never)
        self._settle = settle
        self._stands_since: dict[str, tuple[int, int, float]] = {}

    def look(self, now: float) -> list[LocalFile]:
        """Return the files by name, as they are at ``now`` (seconds since 1970); sub-folders are not entered.

        Left out: hidden files, names of unfinished files, links, other extensions. Raises ``folder.missing`` or
        ``folder.unreadable``.
        """
        found = []
        stands: dict[str, tuple[int, int, float]] = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    status = self._status(entry)
                    if status is not None:
                        since = self._since(entry.name, status, now)
                        stands[entry.name] = (status.st_size, status.st_mtime_ns, since)
                        ready = now - since >= self._settle
                        found.append(LocalFile(self.path / entry.name, status.st_size, status.st_mtime_ns, ready))
        except (FileNotFoundError, NotADirectoryError):
            raise PermanentFailure("folder.missing", folder=str(self.path)) from None
        except OSError:
            raise PermanentFailure("folder.unreadable", folder=str(self.path)) from None
        self._stands_since = stands
        return sorted(found, key=lambda file: file.path.name.casefold())

    def _since(self, name: str, status: os.stat_result, now: float) -> float:
        """Return since when a file stands still: by its own time at first sight, else by our looks."""
        size, mtime_ns, since = self._stands_since.get(name, (-1, -1, now))
        if (size, mtime_ns) == (status.st_size, status.st_mtime_ns):
            return since
        return min(now, status.st_mtime) if size < 0 else now

    def _status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        """Return what the system says of a file that may be sent, or None for any other entry."""
        name = entry.name
        if name.startswith(".") or is_in_progress(name) or name.lower() in _NEVER:
            return None
        if self._extensions and not name.lower().endswith(self._extensions):
            return None
        try:
            if not entry.is_file(follow_symlinks=False) or os.path.normcase(entry.path) in self._never:
                return None
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # it went while the folder was read
            return None
        return None if getattr(status, "st_file_attributes", 0) & _HIDDEN_ON_WINDOWS else status
