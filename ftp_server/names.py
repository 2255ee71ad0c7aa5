"""Gives each published file a name that no other has in its folder, on any file system; never makes a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftp_server.board import Board, Kind, key_of
from transfer.safe_names import numbered, twin_key


class Names:
    """The names taken in each folder, kept in memory; the exclusive link still has the last word.

    One program gives all names in a home: its server, or a command that keeps servers out (:mod:`ftp_server.carrying`).
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._listed: set[str] = set()
        self._taken: set[bytes] = set()
        self._next: dict[bytes, int] = {}  # only a start to search from: ten thousand scan.pdf stay fast
        board.tell({Kind.NAME_TAKEN: self._taken.add, Kind.NAME_FREE: self._taken.discard}, self._forget)

    def reserve(self, folder: Path | str, asked: str) -> str:
        """Return ``asked``, or ``asked`` with the first free counter, and keep it taken until it is released."""
        folder = str(folder)
        with self._board:
            if folder not in self._listed:
                if Path(folder).is_dir():
                    self._taken.update(_key(folder, path.name) for path in Path(folder).iterdir())
                self._listed.add(folder)
            name, first = asked, _key(folder, asked)
            key = first
            n = self._next.get(first, 2)
            while key in self._taken:
                name, n = numbered(asked, n), n + 1
                key = _key(folder, name)
            if name != asked:
                self._next[first] = n
            self._taken.add(key)
            self._board.note(Kind.NAME_TAKEN, key)
            return name

    def release(self, folder: Path | str, name: str) -> None:
        """Let a name be given again."""
        with self._board:
            key = _key(str(folder), name)
            self._taken.discard(key)
            self._board.note(Kind.NAME_FREE, key)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let no other session, of any process, move or name a file meanwhile."""
        with self._board:
            yield

    def _forget(self) -> None:
        """Begin afresh, from what lies on the disk."""
        self._listed.clear()
        self._taken.clear()


def _key(folder: str, name: str) -> bytes:
    return key_of(folder, twin_key(name))
