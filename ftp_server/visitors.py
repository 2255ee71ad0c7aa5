"""Counts the sessions of each address over all processes, so that none takes the whole server; never closes one."""

from collections import Counter

from ftp_server.board import Board, Kind, key_of

PER_ADDRESS = 200
"""Sessions one address may have: an office behind one address has many devices."""


class Visitors:
    """The open sessions of a server by address."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._open: Counter[bytes] = Counter()
        self._all = 0
        self._own: Counter[bytes] = Counter()
        board.tell({Kind.CAME: self._came, Kind.WENT: self._went}, self._start_afresh)

    def come(self, address: str, most: int) -> bool:
        """Count a session of an address; False when it or the server (``most`` sessions) already has too many."""
        key = key_of(address)
        with self._board:
            if self._open[key] >= PER_ADDRESS or self._all >= most:
                return False
            self._came(key)
            self._own[key] += 1
            self._board.note(Kind.CAME, key)
            return True

    def go(self, address: str) -> None:
        """Count a session of an address no more."""
        key = key_of(address)
        with self._board:
            self._went(key)
            self._own[key] -= 1
            if not self._own[key]:
                del self._own[key]
            self._board.note(Kind.WENT, key)

    def _came(self, key: bytes) -> None:
        self._open[key] += 1
        self._all += 1

    def _went(self, key: bytes) -> None:
        self._open[key] -= 1
        self._all -= 1
        if self._open[key] <= 0:
            del self._open[key]

    def _start_afresh(self) -> None:
        """Begin again with the sessions of this process: those of others are not known any more."""
        self._open = Counter(self._own)
        self._all = self._open.total()
