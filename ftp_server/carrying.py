"""Has what a person decided carried out by whoever gives the names in a home; never decides anything.

Which names are taken and which documents a retry would send again is in the memory of the server that runs. So it is
the server that publishes what was released or put back: a command asks it, by a file in the home that goes once all
that was decided before has been carried on. Where no server runs, the command does it, and no server starts meanwhile.
"""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ftp_server.board import Board
from ftp_server.database import Database
from ftp_server.deposits import Deposits
from ftp_server.folders import fiduciaries_of
from ftp_server.home import give_to_owner
from ftp_server.home_lock import locked
from ftp_server.loop import Chores
from ftp_server.names import Names
from ftp_server.releasing import Releasing
from ftp_server.returning import Returning
from ftp_server.running import running_folder
from ftp_server.suspects import Suspects
from transfer.failures import PermanentFailure, TemporaryFailure

_ASKED = "asked-"
_LOOK = 0.02  # seconds between two looks whether the server has answered
_PATIENCE = 60.0  # seconds a server may take


@dataclass(frozen=True)
class Carrying:
    """All that is needed to carry out what was decided, in the one program that gives the names below ``root``."""

    database: Database
    root: Path
    clock: Callable[[], float]
    names: Names
    deposits: Deposits
    reached: Callable[[str], None] = lambda _: None

    def finish(self) -> None:
        """Carry out what was decided since, and what a crash left unfinished; what fails is logged and waits."""
        place = (self.database, self.root, self.clock)
        Suspects(*place, self.reached).finish()
        Releasing(*place, self.names, self.deposits, self.reached).finish()
        Returning(*place, self.names, self.reached).finish()


class Asked:
    """What commands ask the server of ``home``, which then calls ``finish``; for the loop's thread."""

    def __init__(self, home: Path, finish: Callable[[], None], chores: Chores) -> None:
        self._folder = running_folder(home)
        self._finish = finish
        self._chores = chores
        self._busy = False

    def look(self) -> None:
        """See whether somebody asked; the work is a chore."""
        asked = [] if self._busy else list(self._folder.glob(f"{_ASKED}*"))
        if asked:
            self._busy = True
            self._chores.run(self._answer, asked)

    def _answer(self, asked: list[Path]) -> None:
        try:
            self._finish()
        finally:
            for each in asked:
                each.unlink(missing_ok=True)
            self._busy = False


def carry_out(home: Path, database: Database, clock: Callable[[], float], reached: Callable[[str], None]) -> None:
    """Return once everything decided so far was carried out, or failed and waits.

    Raises ``server.no_answer`` when the server of ``home`` runs and does not answer; it still does it later.
    """
    folder = running_folder(home)
    give_to_owner(folder)
    request = folder / f"{_ASKED}{uuid.uuid4().hex}"
    request.touch()
    until = time.monotonic() + _PATIENCE
    while request.exists():
        lock = _lock(home)
        if lock:
            with lock, closing(Deposits(database, Board(), clock)) as deposits:
                Carrying(database, fiduciaries_of(home), clock, Names(Board()), deposits, reached).finish()
            request.unlink(missing_ok=True)
        elif time.monotonic() > until:
            raise TemporaryFailure("server.no_answer", home=str(home), seconds=round(_PATIENCE))
        else:
            threading.Event().wait(_LOOK)


def _lock(home: Path) -> BinaryIO | None:
    try:
        return locked(home, moment=0)
    except PermanentFailure:  # a server has it, or another command
        return None
