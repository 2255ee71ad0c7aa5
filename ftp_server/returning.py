"""Publishes again what a person took out of the trash, each document once; never decides on one.

A document on its way has a name of its own within the trash. That name is what a crash leaves, and what
:meth:`Returning.finish` carries on:

==================================  ============================================================
died after                          what is carried on
==================================  ============================================================
the rename within the trash         the document is published
the link                            it keeps the place it has; its folder is synced, the row written
the row                             the name within the trash goes
==================================  ============================================================
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select, update

from ftp_server.database import Database
from ftp_server.deposits import Deposit
from ftp_server.folders import Folders, parts_of, shown
from ftp_server.names import Names
from ftp_server.placing import Placing
from ftp_server.tables import deposits
from transfer.failures import PermanentFailure

log = logging.getLogger("navette.server")

RETURNING = ".returning"
"""What ends the name of a document in the trash that is on its way back."""

_ON_ITS_WAY = re.compile(r"[0-9a-f]{32}\.returning")  # no hand-made file that READ removed is taken for one


@dataclass(frozen=True)
class Returning:
    """The returns of one server, ``root`` being the folder of its fiduciaries; only one program has them at a time."""

    database: Database
    root: Path
    clock: Callable[[], float]
    names: Names
    reached: Callable[[str], None] = lambda _: None

    def finish(self) -> None:
        """Publish what was put back since and what a crash left on its way; what fails waits for the next time."""
        for number in fiduciaries_below(self.root):
            folders = Folders.of(self.root, number)
            for own in on_their_way(folders):
                try:
                    self._carry_on(folders, own)
                except (OSError, PermanentFailure) as error:  # the disk refuses, or no row tells of it
                    log.error("server.unfinished id=%s: %s", own.stem, error)

    def _carry_on(self, folders: Folders, own: Path) -> None:
        """Publish, record, and only then let go of the name within the trash; each step may have been done before."""
        trashed = folders.trash / own.stem
        placing = Placing(own, trashed, folders, self.names, lambda step: self.reached(f"restore.{step}"))
        with self.database.read() as connection:
            deposit = _of_id(connection, own.stem)
        folder, name = placing.place(parts_of(deposit.folder), deposit.name)
        self.reached("restore.synced")
        deposit = deposit._replace(folder=shown(folder), name=name)
        with self.database.write() as connection:
            if not trashed.exists():  # else READ has collected it again, and its row says when
                _change(connection, deposit._replace(collected_at=None))
        self.reached("restore.recorded")
        with self.database.write() as connection:
            if placing.collected(folder, name) and _of_id(connection, own.stem).collected_at is None:
                _change(connection, deposit._replace(collected_at=self.clock()))
        placing.let_go()  # what was noted is kept by now
        self.reached("restore.let_go")


def fiduciaries_below(root: Path) -> list[str]:
    """Return the numbers of the fiduciaries that have folders in a server's."""
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


def on_their_way(folders: Folders) -> list[Path]:
    """Return what is on its way out of a fiduciary's trash."""
    return sorted(path for path in folders.trash.iterdir() if _ON_ITS_WAY.fullmatch(path.name))


def _of_id(connection: Connection, deposit_id: str) -> Deposit:
    row = connection.execute(select(deposits).where(deposits.c.id == deposit_id)).first()
    if row is None:
        raise PermanentFailure("trash.not_recorded", name=deposit_id)
    return Deposit(**row._mapping)


def _change(connection: Connection, deposit: Deposit) -> None:
    values = {"folder": deposit.folder, "name": deposit.name, "collected_at": deposit.collected_at}
    connection.execute(update(deposits).where(deposits.c.id == deposit.id).values(values))
