"""Gives each published file a name that no other has in its folder, on any file system; never makes a file."""

import threading
from pathlib import Path

from transfer.safe_names import numbered, twin_key


class Names:
    """The names taken in each folder, kept in memory; the exclusive link still has the last word."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[Path, set[str]] = {}
        self._next: dict[tuple[Path, str], int] = {}  # only a start to search from: ten thousand scan.pdf stay fast

    def reserve(self, folder: Path, asked: str) -> str:
        """Return ``asked``, or ``asked`` with the first free counter, and keep it taken until it is released."""
        with self._lock:
            taken = self._taken.get(folder)
            if taken is None:
                present = [path.name for path in folder.iterdir()] if folder.is_dir() else []
                taken = self._taken[folder] = {twin_key(name) for name in present}
            name = asked
            n = self._next.get((folder, twin_key(asked)), 2)
            while twin_key(name) in taken:
                name, n = numbered(asked, n), n + 1
            if name != asked:
                self._next[folder, twin_key(asked)] = n
            taken.add(twin_key(name))
            return name

    def release(self, folder: Path, name: str) -> None:
        """Let a name be given again."""
        with self._lock:
            self._taken.get(folder, set()).discard(twin_key(name))
