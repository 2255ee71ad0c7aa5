"""Publishes the doubtful files that a person released, each once; never decides on one.

A decision is a row before anything is done. Until the row says that it ended, :meth:`Releasing.finish` carries it on:

===========================  ===================================================================
died after                   what is carried on
===========================  ===================================================================
the decision                 the file is published and gets its deposit's row
the link                     it keeps the place it has; its folder is synced, the row written
the deposit's row            the name in the suspects' folder goes
that name is gone            the decision has ended
===========================  ===================================================================

READ may collect a document before its row is written: it is then found in the trash, and its row says so. A document
that its sender sent again in the meantime is not published twice: the decision is taken back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import and_, insert, select, update

from ftp_server.database import Database
from ftp_server.deposits import RETRY_WINDOW, Deposit, Deposits, Suspect, retry_key
from ftp_server.doubtful import Choice, Doubtful, locked, one
from ftp_server.folders import Folder, Folders, parts_of, shown
from ftp_server.names import Names
from ftp_server.placing import Placing, stored
from ftp_server.staged import drop_receipt
from ftp_server.tables import decisions, deposits
from transfer.fingerprints import Fingerprint

log = logging.getLogger("navette.server")

RELEASED = "released"
"""The evidence of a document that a person released."""


@dataclass(frozen=True)
class Releasing:
    """The releases of one server, ``root`` being the folder of its fiduciaries; only one program has them at a time."""

    database: Database
    root: Path
    clock: Callable[[], float]
    names: Names
    deposits: Deposits
    reached: Callable[[str], None] = lambda _: None

    def finish(self) -> None:
        """Publish what was released since and what a crash left unfinished; what fails waits for the next time."""
        unfinished = (decisions.c.decision == Choice.RELEASE.value) & decisions.c.ended_at.is_(None)
        with self.database.read() as connection:
            suspect_ids = connection.scalars(select(decisions.c.suspect).where(unfinished)).all()
        for suspect_id in suspect_ids:
            try:
                if self._publish(self._find(suspect_id).suspect):
                    self._let_go(suspect_id)
            except OSError as error:
                log.error("server.unfinished id=%s: %s", suspect_id, error)

    def _publish(self, suspect: Suspect) -> bool:
        """Publish and record a suspect, unless that is done; False when it is not to be, or its bytes are nowhere."""
        own = self._placing(suspect).own
        drop_receipt(own)
        try:
            fingerprint = stored(own)
        except FileNotFoundError:  # let go of already, before a crash
            if self._find(suspect.id).deposit is None:
                log.error("suspect.file_missing id=%s", suspect.id)
                return False
            return True
        key = retry_key(suspect.login, parts_of(suspect.folder), suspect.name, fingerprint.sha256 or "")
        earlier = self.deposits.begin(key)
        received = earlier is not None
        try:
            if earlier and earlier.id != suspect.id:
                self._take_back(suspect.id)
                return False
            self._record(suspect, key, fingerprint)
            received = suspect.received_at > self.clock() - RETRY_WINDOW
        finally:
            self.deposits.end(key, received=received)
        return True

    def _record(self, suspect: Suspect, key: str, fingerprint: Fingerprint) -> None:
        doubtful = self._find(suspect.id)
        if doubtful.decision is None or doubtful.deposit:
            return
        folder, name = self._placing(suspect).place(parts_of(suspect.folder), doubtful.decision.name)
        self.reached("release.synced")
        deposit = _deposit(suspect, key, folder, name, fingerprint)
        with self.database.write() as connection:
            connection.execute(insert(deposits).values(deposit._asdict()))
        self.reached("release.recorded")

    def _let_go(self, suspect_id: str) -> None:
        """Remove the suspect's own name, note if READ was there before the row, and end the decision."""
        with self.database.write() as connection:
            doubtful = locked(connection, suspect_id)
            if doubtful.deposit is None:
                return
            placing = self._placing(doubtful.suspect)
            if placing.collected(parts_of(doubtful.deposit.folder), doubtful.deposit.name):
                gone = and_(deposits.c.id == suspect_id, deposits.c.collected_at.is_(None))
                connection.execute(update(deposits).where(gone).values(collected_at=self.clock()))
            placing.let_go()
            self.reached("release.let_go")
            ended = update(decisions).where(decisions.c.suspect == suspect_id).values(ended_at=self.clock())
            connection.execute(ended)
        self.reached("release.ended")

    def _take_back(self, suspect_id: str) -> None:
        with self.database.write() as connection:
            connection.execute(decisions.delete().where(decisions.c.suspect == suspect_id))

    def _find(self, suspect_id: str) -> Doubtful:
        with self.database.read() as connection:
            return one(connection, suspect_id)

    def _placing(self, suspect: Suspect) -> Placing:
        folders = Folders.of(self.root, suspect.fiduciary)
        own, trashed = folders.suspects / suspect.id, folders.trash / suspect.id
        return Placing(own, trashed, folders, self.names, lambda step: self.reached(f"release.{step}"))


def _deposit(suspect: Suspect, key: str, folder: Folder, name: str, fingerprint: Fingerprint) -> Deposit:
    return Deposit(
        id=suspect.id,
        retry_key=key,
        fiduciary=suspect.fiduciary,
        login=suspect.login,
        folder=shown(folder),
        name=name,
        size=fingerprint.size or 0,
        sha256=fingerprint.sha256 or "",
        peer=suspect.peer,
        evidence=RELEASED,
        received_at=suspect.received_at,
    )
