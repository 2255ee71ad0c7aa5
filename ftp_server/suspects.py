"""The doubtful files for a person to decide on, beside a server that may run; never decides by itself.

A decision is a row before anything is done. Until the row says that it ended, :meth:`Suspects.finish` carries it on:

=========  ===========================  =====================================================================
decision   died after                   what is carried on
=========  ===========================  =====================================================================
release    the decision                 the file is published and gets its deposit's row
release    the link                     it keeps the name it has; its folder is synced, the row written
release    the deposit's row            the name in the suspects' folder goes
release    that name is gone            the decision has ended
discard    the decision, or the move    the file is moved to the trash unless it lies there
=========  ===========================  =====================================================================

READ may collect a released document before its row is written: it is then found in the trash, and its row says so.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Update, and_, insert, select, true, update

from ftp_server.database import Database
from ftp_server.deposits import Deposit, Suspect, retry_key
from ftp_server.doubtful import Choice, Doubtful, doubtful_files, locked, one
from ftp_server.folders import Folders, parts_of, shown
from ftp_server.placing import Placing, stored
from ftp_server.staged import drop_receipt
from ftp_server.tables import decisions, deposits
from transfer.durable import sync_folder
from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint
from transfer.safe_names import safe_name

log = logging.getLogger("navette.server")

RELEASED = "released"
"""The evidence of a document that a person released."""


@dataclass(frozen=True)
class Suspects:
    """The suspects of one server; ``root`` is the folder of its fiduciaries. Others may do the same at once."""

    database: Database
    root: Path
    clock: Callable[[], float]
    reached: Callable[[str], None] = lambda _: None

    def list(self, *, decided: bool = False) -> list[Doubtful]:
        """Return the doubtful files that wait for a decision, oldest first; with ``decided`` those of the past too."""
        with self.database.read() as connection:
            return doubtful_files(connection, true() if decided else decisions.c.ended_at.is_(None))

    def release(self, suspect_id: str, name: str | None = None) -> Deposit:
        """Publish a doubtful file as a document, under its own name, or ``name``, or one of these with a counter.

        Raises ``suspect.came_again`` when the sender has sent the same bytes again since: that document is published.
        """
        suspect = self._decidable(suspect_id)
        try:
            fingerprint = stored(self._folders(suspect).suspects / suspect.id)
        except FileNotFoundError:  # another process was faster
            raise PermanentFailure("suspect.file_missing", id=suspect.id) from None
        with self.database.write() as connection:
            self._decide(connection, suspect, Choice.RELEASE, safe_name(name) if name else suspect.name)
            path = _came_again(connection, suspect, fingerprint.sha256 or "")
            if path:  # which takes the decision back
                raise PermanentFailure("suspect.came_again", id=suspect.id, path=path)
        self.reached("release.decided")
        self._carry_on(suspect.id)
        deposit = self._find(suspect.id).deposit
        if deposit is None:
            raise PermanentFailure("suspect.file_missing", id=suspect.id)
        return deposit

    def discard(self, suspect_id: str) -> None:
        """Move a doubtful file to the trash, from where it may come back until the trash is purged."""
        suspect = self._decidable(suspect_id)
        with self.database.write() as connection:
            self._decide(connection, suspect, Choice.DISCARD, suspect.name)
        self.reached("discard.decided")
        self._carry_on(suspect.id)

    def take_back(self, suspect_id: str) -> None:
        """Put a discarded file back among those that wait for a decision.

        A crash before the end leaves it discarded: the move is undone by :meth:`finish`.
        """
        with self.database.write() as connection:
            connection.execute(_decision(suspect_id, Choice.DISCARD).values(ended_at=None))
        self.reached("take_back.begun")
        with self.database.write() as connection:
            folders = self._folders(locked(connection, suspect_id).suspect)
            if not (folders.trash / suspect_id).is_file():
                raise PermanentFailure("suspect.file_missing", id=suspect_id)
            (folders.trash / suspect_id).replace(folders.suspects / suspect_id)
            sync_folder(folders.suspects)
            sync_folder(folders.trash)
            self.reached("take_back.moved")
            connection.execute(decisions.delete().where(decisions.c.suspect == suspect_id))

    def finish(self) -> int:
        """Carry on what a crash left unfinished; return how many decisions that were. One that fails waits again."""
        with self.database.read() as connection:
            open_ids = connection.scalars(select(decisions.c.suspect).where(decisions.c.ended_at.is_(None))).all()
        for suspect_id in open_ids:
            try:
                self._carry_on(suspect_id)
            except OSError as error:
                log.error("server.unfinished id=%s: %s", suspect_id, error)
        return len(open_ids)

    def _folders(self, suspect: Suspect) -> Folders:
        return Folders.of(self.root, suspect.fiduciary)

    def _find(self, suspect_id: str) -> Doubtful:
        with self.database.read() as connection:
            return one(connection, suspect_id)

    def _decidable(self, suspect_id: str) -> Suspect:
        doubtful = self._find(suspect_id)
        _refuse_decided(doubtful)
        if not (self._folders(doubtful.suspect).suspects / suspect_id).is_file():
            raise PermanentFailure("suspect.file_missing", id=suspect_id)
        return doubtful.suspect

    def _decide(self, connection: Connection, suspect: Suspect, choice: Choice, name: str) -> None:
        _refuse_decided(locked(connection, suspect.id))  # by another process, a moment ago
        row = {"suspect": suspect.id, "decision": choice.value, "name": name, "decided_at": self.clock()}
        connection.execute(insert(decisions).values(row))

    def _carry_on(self, suspect_id: str) -> None:
        decision = self._find(suspect_id).decision
        if decision and decision.choice is Choice.DISCARD:
            self._carry_on_discarding(suspect_id)
        elif decision and self._publish(suspect_id):
            self._let_go(suspect_id)

    def _carry_on_discarding(self, suspect_id: str) -> None:
        with self.database.write() as connection:
            doubtful = locked(connection, suspect_id)
            if doubtful.decision is None or not doubtful.is_open:
                return
            folders = self._folders(doubtful.suspect)
            own, trashed = folders.suspects / suspect_id, folders.trash / suspect_id
            if own.is_file():
                own.replace(trashed)
                sync_folder(folders.trash)
                sync_folder(folders.suspects)
            self.reached("discard.moved")
            connection.execute(_decision(suspect_id, Choice.DISCARD).values(ended_at=self.clock()))
        self.reached("discard.ended")

    def _publish(self, suspect_id: str) -> bool:
        """Publish and record a suspect, unless that is done; False when its bytes are nowhere."""
        suspect = self._find(suspect_id).suspect
        placing = self._placing(suspect)
        drop_receipt(placing.own)
        try:
            fingerprint = stored(placing.own)
        except FileNotFoundError:  # let go of already, by this process before a crash or by another one
            if self._find(suspect_id).deposit is None:
                log.error("suspect.file_missing id=%s", suspect_id)
                return False
            return True
        with self.database.write() as connection:
            doubtful = locked(connection, suspect_id)
            if doubtful.decision is None or doubtful.deposit:
                return True
            name = placing.place(doubtful.decision.name)
            self.reached("release.synced")
            deposit = _deposit(suspect, doubtful.decision.name, name, fingerprint)
            connection.execute(insert(deposits).values(deposit._asdict()))
        self.reached("release.recorded")
        return True

    def _let_go(self, suspect_id: str) -> None:
        """Remove the suspect's own name, note if READ was there before the row, and end the decision."""
        with self.database.write() as connection:
            doubtful = locked(connection, suspect_id)
            if doubtful.deposit is None or not doubtful.is_open:
                return
            placing = self._placing(doubtful.suspect)
            if placing.collected(doubtful.deposit.name):
                gone = and_(deposits.c.id == suspect_id, deposits.c.collected_at.is_(None))
                connection.execute(update(deposits).where(gone).values(collected_at=self.clock()))
            placing.let_go()
            self.reached("release.let_go")
            connection.execute(_decision(suspect_id, Choice.RELEASE).values(ended_at=self.clock()))
        self.reached("release.ended")

    def _placing(self, suspect: Suspect) -> Placing:
        folders = self._folders(suspect)
        target = folders.published(parts_of(suspect.folder))
        own, trashed = folders.suspects / suspect.id, folders.trash / suspect.id
        return Placing(own, target, trashed, lambda step: self.reached(f"release.{step}"))


def _refuse_decided(doubtful: Doubtful) -> None:
    if doubtful.decision:
        released = doubtful.decision.choice is Choice.RELEASE
        code = "suspect.released_already" if released else "suspect.discarded_already"
        raise PermanentFailure(code, id=doubtful.suspect.id)


def _decision(suspect_id: str, choice: Choice) -> Update:
    return update(decisions).where(decisions.c.suspect == suspect_id, decisions.c.decision == choice.value)


def _came_again(connection: Connection, suspect: Suspect, digest: str) -> str | None:
    """Return where a later deposit of the same bytes is; who sent what a stopped server received is not known."""
    where = [deposits.c.fiduciary == suspect.fiduciary, deposits.c.sha256 == digest]
    where.append(deposits.c.received_at >= suspect.received_at)
    if suspect.login:
        where.append(deposits.c.login == suspect.login)
    row = connection.execute(select(deposits.c.folder, deposits.c.name).where(*where).limit(1)).first()
    return shown(parts_of(row.folder), row.name) if row else None


def _deposit(suspect: Suspect, asked: str, name: str, fingerprint: Fingerprint) -> Deposit:
    digest = fingerprint.sha256 or ""
    return Deposit(
        id=suspect.id,
        retry_key=retry_key(suspect.login, parts_of(suspect.folder), asked, digest),
        fiduciary=suspect.fiduciary,
        login=suspect.login,
        folder=suspect.folder,
        name=name,
        size=fingerprint.size or 0,
        sha256=digest,
        peer=suspect.peer,
        evidence=RELEASED,
        received_at=suspect.received_at,
    )
