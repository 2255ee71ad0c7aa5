"""Counts wrong passwords per address, over all processes, and bans addresses for growing times; never reads a password.

A ban never locks an account out, and never a device whose password was right a moment ago: it only ends guessing.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from ftp_server.board import Board, Kind, key_of
from ftp_server.database import Database
from ftp_server.networks import within
from ftp_server.tables import bans
from transfer.failures import PermanentFailure

TRIES = 15
"""Wrong passwords from one address within the window that bring a ban."""

WINDOW = 300.0
"""Seconds in which they count."""

_FIRST = 300.0
_LONGEST = 86_400.0


@dataclass(frozen=True)
class Ban:
    """An address that may not guess until a moment (seconds since 1970 UTC); ``times``: how often it was banned."""

    address: str
    until: float
    times: int


class Bans:
    """The bans of a server; ``safe`` are networks, such as clients' offices, that are never banned."""

    def __init__(
        self, database: Database, board: Board, safe: tuple[str, ...] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._board = board
        self._safe = safe
        self._clock = clock
        self._tries: defaultdict[bytes, deque[float]] = defaultdict(deque)
        self._bans: dict[bytes, Ban] = {}
        self._unsaved: dict[bytes, Ban] = {}
        board.tell({Kind.TRIED: self._tried, Kind.WAS_RIGHT: self._was_right}, self._tries.clear)
        self.refresh()

    def may_try(self, address: str) -> bool:
        """Tell whether an address may have a password checked; it counts as wrong until :meth:`was_right`."""
        if self._safe and within(address, self._safe):
            return True
        key = key_of(address)
        with self._board:
            ban = self._bans.get(key)
            if ban and self._holds(ban):
                return False
            if self._in_window(key) < TRIES:
                self._tried(key)
                self._board.note(Kind.TRIED, key)
                return True
            times = ban.times + 1 if ban else 1
            until = self._clock() + min(_FIRST * 2 ** (times - 1), _LONGEST)
            imposed = self._bans[key] = self._unsaved[key] = Ban(address, until, times)
            self._tries.pop(key, None)
        self._save(key, imposed)
        return False

    def _holds(self, ban: Ban) -> bool:
        """Tell whether a ban is not over; one that seems longer than any was imposed before the clock went back."""
        return 0 < ban.until - self._clock() <= _LONGEST

    def was_right(self, address: str) -> None:
        """Take back a try that turned out right."""
        key = key_of(address)
        with self._board:
            self._was_right(key)
            self._board.note(Kind.WAS_RIGHT, key)

    def refresh(self) -> None:
        """Take over what other processes banned and the host lifted."""
        found = {key_of(ban.address): ban for ban in all_bans(self._database)}
        with self._board:
            for key in self._bans.keys() - found.keys():
                self._tries.pop(key, None)
            self._bans = found | self._unsaved
            for key in [key for key in self._tries if not self._in_window(key)]:
                del self._tries[key]

    def _save(self, key: bytes, ban: Ban) -> None:
        with self._database.write() as connection:
            connection.execute(delete(bans).where(bans.c.address == ban.address))
            connection.execute(insert(bans).values(vars(ban)))
        self._unsaved.pop(key, None)

    def _tried(self, key: bytes) -> None:
        self._tries[key].append(self._clock())

    def _was_right(self, key: bytes) -> None:
        if self._tries.get(key):
            self._tries[key].pop()

    def _in_window(self, key: bytes) -> int:
        tries = self._tries.get(key)
        while tries and not 0 <= self._clock() - tries[0] <= WINDOW:  # less than 0: the clock went back
            tries.popleft()
        return len(tries or ())


def all_bans(database: Database) -> list[Ban]:
    """Return all bans on record, those that are over included: the next one grows from them."""
    with database.read() as connection:
        return [Ban(*row) for row in connection.execute(select(bans.c.address, bans.c.until, bans.c.times))]


def lift(database: Database, address: str) -> None:
    """Forget the ban of an address; a running server follows within seconds. Raises ``ban.unknown``."""
    with database.write() as connection:
        if connection.execute(delete(bans).where(bans.c.address == address)).rowcount == 0:
            raise PermanentFailure("ban.unknown", address=address[:64])
