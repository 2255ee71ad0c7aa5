"""Receives one document in a worker thread, judges it, stores it and publishes it; never replaces a published file.

The order is the guarantee (G1, G2, G4). Bytes go to a file in staging that no account sees. When the evidence says that
they are whole, the file is given its receipt to carry, and one sync puts bytes and receipt on stable storage; only then
does it get its final name, by an exclusive link, and only then is 226 answered. The receipt's row follows within a
moment, together with others (where a file system cannot let files carry receipts, the row is written before the link).
The staging name stays until row and final folder are synced too (:mod:`ftp_server.settling`), so that every instant
has one continuation:

==========================  ==========================================================================
died after                  the next start finds
==========================  ==========================================================================
receiving some bytes        staging file without a receipt: suspect; the sender was never answered
the receipt, in the sync    staging file that differs from its receipt: suspect; never answered either
the sync                    staging file with its receipt: row written, published now
the link or the answer      two names of one file: row written, final folder synced, staging name removed
==========================  ==========================================================================
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ftp_server.data_connection import Control, DataConnection
from ftp_server.deposits import Deposit, Deposits, Suspect, retry_key
from ftp_server.folders import Folder, Folders, new_id, shown
from ftp_server.judging import Ending, Judgement, Outcome, judge
from ftp_server.names import Names
from ftp_server.settling import Settling
from ftp_server.staged import Staged, StagingFolder
from transfer.durable import make_folder, sync_folder

log = logging.getLogger("navette.server")

GRACE = 0.25
"""Seconds a control connection has to fall after the data ended, before a file that nothing proves is believed."""


@dataclass(frozen=True)
class Asked:
    """What a session asks to store: who, where, under which name, from which address, of which announced size."""

    fiduciary: str
    login: str
    folder: Folder
    name: str
    peer: str
    announced: int | None = None


@dataclass(frozen=True)
class Answer:
    """The deposit, which may be the earlier one that this is a retry of, or else the reply that refuses it."""

    deposit: Deposit | None = None
    again: bool = False
    reply: str = ""


@dataclass(frozen=True)
class _Published:
    deposit: Deposit
    recorded: bool


@dataclass
class Receiving:
    """Everything a reception needs; one for the whole server, used by all worker threads."""

    deposits: Deposits
    names: Names
    settling: Settling
    clock: Callable[[], float]
    reached: Callable[[str], None] = lambda _: None
    _staging_folders: dict[tuple[Path, int], StagingFolder] = field(default_factory=dict)

    def receive(self, asked: Asked, folders: Folders, data: DataConnection, answer: Callable[[Answer], None]) -> None:
        """Receive, judge and publish what comes over ``data``, and call ``answer`` as soon as the reply may be sent."""
        staged = Staged(self._staging(folders), new_id())
        try:
            try:
                ending = data.receive(staged.write)
            except OSError as error:
                data.break_off()
                staged.path.unlink()
                log.error("server.no_room errno=%s folder=%s", error.errno, staged.path.parent)
                no_room = "452 The server has no room for this; nothing was stored, please keep your file."
                answer(Answer(reply=no_room))
                return
            staged.hurry()
            data.finish()
            self.reached("server.received")
            judgement = _judged(staged, ending, asked.announced, data.control)
            if judgement.outcome is Outcome.SUSPECT:
                answer(self._keep_suspect(asked, folders, staged, judgement.reason))
            else:
                self._store(asked, folders, staged, judgement.reason, answer)
        finally:
            staged.close()

    def _store(
        self, asked: Asked, folders: Folders, staged: Staged, evidence: str, answer: Callable[[Answer], None]
    ) -> None:
        key = retry_key(asked.login, asked.folder, asked.name, staged.sha256)
        earlier = self.deposits.begin(key)
        if earlier:
            staged.path.unlink()
            self.deposits.end(key, received=True)
            answer(Answer(earlier, again=True))
            return
        published: _Published | None = None
        try:
            published = self._publish(asked, folders, staged, key, evidence)
            answer(Answer(published.deposit))
        finally:  # what follows delays no sender
            if published is not None:
                deposit = published.deposit
                recorded = None if published.recorded else self.deposits.record(deposit)
                self.settling.add(deposit.id, staged.path, folders.published(asked.folder), recorded)
            self.deposits.end(key, received=published is not None)

    def _publish(self, asked: Asked, folders: Folders, staged: Staged, key: str, evidence: str) -> _Published:
        target = folders.published(asked.folder)
        make_folder(target)
        deposit = Deposit(
            id=staged.path.name,
            retry_key=key,
            fiduciary=asked.fiduciary,
            login=asked.login,
            folder=shown(asked.folder),
            name=self.names.reserve(target, asked.name),
            size=staged.size,
            sha256=staged.sha256,
            peer=asked.peer,
            evidence=evidence,
            received_at=self.clock(),
        )
        carried = staged.carry(deposit)
        staged.sync()
        self.reached("server.synced")
        if not carried:
            self.deposits.record_at_once(deposit)
        self.reached("server.recorded")
        deposit = self._link(deposit, staged.path, target, asked.name)
        self.reached("server.linked")
        return _Published(deposit, recorded=not carried)

    def _link(self, deposit: Deposit, stage: Path, target: Path, asked: str) -> Deposit:
        """Give the file its final name; a name that appeared on disk behind the server's back is stepped over."""
        while True:
            try:
                os.link(stage, f"{target}/{deposit.name}")
            except FileExistsError:
                deposit = replace(deposit, name=self.names.reserve(target, asked))
                self.deposits.rename(deposit, deposit.name)
            except FileNotFoundError:  # somebody removed the folder between making it and now
                make_folder(target)
            else:
                return deposit

    def _keep_suspect(self, asked: Asked, folders: Folders, staged: Staged, reason: str) -> Answer:
        if staged.size == 0:
            staged.path.unlink()
        else:
            staged.sync()
            place = (shown(asked.folder), asked.name)
            stage, now = staged.path, self.clock()
            kept = Suspect(stage.name, asked.fiduciary, asked.login, *place, staged.size, reason, asked.peer, now)
            self.deposits.suspect(kept)
            stage.rename(folders.suspects / stage.name)
            sync_folder(folders.suspects)
        return Answer(reply=f"426 The document did not arrive whole ({reason}); please send it again.")

    def close(self) -> None:
        """Let go of the staging folders, once no thread receives any more."""
        for folder in self._staging_folders.values():
            folder.close()

    def _staging(self, folders: Folders) -> StagingFolder:
        """Return this thread's own staging folder."""
        key = (folders.staging, threading.get_native_id())  # no thread of another process has it either
        if key not in self._staging_folders:
            self._staging_folders[key] = StagingFolder(folders.staging / str(key[1]))
        return self._staging_folders[key]


def _judged(staged: Staged, ending: Ending, announced: int | None, control: Control) -> Judgement:
    judgement = judge(ending, staged.size, announced, staged.weigh())
    if judgement.outcome is Outcome.ASK_CONTROL:
        control.stand_by(GRACE)
        if control.stopped:
            return Judgement(Outcome.SUSPECT, Ending.ABORTED.value)
        if control.lost and not control.said_goodbye:
            return Judgement(Outcome.SUSPECT, "control_lost")
    return judgement
