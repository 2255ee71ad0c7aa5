"""The doubtful files for a person to decide on, beside a server that may run; never decides by itself.

A decision is a row before anything is done. What is released is published by those who give names
(:mod:`ftp_server.releasing`). What is discarded is moved to the trash at once, and after a crash by
:meth:`Suspects.finish`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Update, insert, select, true, update

from ftp_server.database import Database
from ftp_server.deposits import Deposit, Suspect
from ftp_server.doubtful import Choice, Doubtful, doubtful_files, locked, one
from ftp_server.folders import Folders, parts_of, shown
from ftp_server.placing import stored
from ftp_server.tables import decisions, deposits
from transfer.durable import sync_folder
from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint
from transfer.safe_names import safe_name

log = logging.getLogger("navette.server")


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

    def release(self, suspect_id: str, name: str | None = None) -> None:
        """Decide that a doubtful file is to be published, under its own name or ``name``, or that with a counter.

        Raises ``suspect.came_again`` when the sender has sent the same bytes again since: that document is published.
        """
        suspect = self._decidable(suspect_id)
        fingerprint = self._measured(suspect)
        with self.database.write() as connection:
            self._decide(connection, suspect, Choice.RELEASE, safe_name(name) if name else suspect.name)
            path = _came_again(connection, suspect, fingerprint.sha256 or "")
            if path:  # which takes the decision back
                raise PermanentFailure("suspect.came_again", id=suspect.id, path=path)
        self.reached("release.decided")

    def released(self, suspect_id: str) -> Deposit:
        """Return the document that a released file became.

        Raises ``suspect.came_again`` if the sender was faster, and ``server.unfinished`` if it is not published yet.
        """
        doubtful = self._find(suspect_id)
        if doubtful.deposit:
            return doubtful.deposit
        fingerprint = self._measured(doubtful.suspect)
        if doubtful.decision is None:
            with self.database.read() as connection:
                path = _came_again(connection, doubtful.suspect, fingerprint.sha256 or "")
            raise PermanentFailure("suspect.came_again", id=suspect_id, path=path or "")
        raise PermanentFailure("server.unfinished", id=suspect_id)

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

    def finish(self) -> None:
        """Move to the trash what a crash left where it was although it is discarded; what fails waits for next time."""
        unfinished = (decisions.c.decision == Choice.DISCARD.value) & decisions.c.ended_at.is_(None)
        with self.database.read() as connection:
            suspect_ids = connection.scalars(select(decisions.c.suspect).where(unfinished)).all()
        for suspect_id in suspect_ids:
            try:
                self._carry_on(suspect_id)
            except OSError as error:
                log.error("server.unfinished id=%s: %s", suspect_id, error)

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

    def _measured(self, suspect: Suspect) -> Fingerprint:
        try:
            return stored(self._folders(suspect).suspects / suspect.id)
        except FileNotFoundError:
            raise PermanentFailure("suspect.file_missing", id=suspect.id) from None

    def _decide(self, connection: Connection, suspect: Suspect, choice: Choice, name: str) -> None:
        _refuse_decided(locked(connection, suspect.id))  # by another process, a moment ago
        row = {"suspect": suspect.id, "decision": choice.value, "name": name, "decided_at": self.clock()}
        connection.execute(insert(decisions).values(row))

    def _carry_on(self, suspect_id: str) -> None:
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
