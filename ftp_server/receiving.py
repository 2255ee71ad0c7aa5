"""Receives one document in a worker thread, judges it, stores it and publishes it; never replaces a published file.

The order is the guarantee (G1, G2, G4). Bytes go to a file in staging that no account sees. When the evidence says that
they are whole, the receipt's row is committed while file and staging folder are synced; only when both are on stable
storage does the file get its final name, by an exclusive link, and only then is 226 answered. The staging name stays
until the final folder is synced too (:mod:`ftp_server.settling`), so that every instant has one continuation:

==========================  ==========================================================================
died after                  the next start finds
==========================  ==========================================================================
receiving some bytes        staging file without a row: suspect; the sender was never answered
the row, before the sync    staging file with a row whose hash differs: suspect, row taken back
the row and the sync        staging file with its row: it is published now
the link or the answer      two names of one file: the final folder is synced, the staging name removed
==========================  ==========================================================================
"""

import logging
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from ftp_server.data_connection import DataConnection
from ftp_server.deposits import Deposit, Deposits, Suspect, retry_key
from ftp_server.folders import Folder, Folders, new_id, shown
from ftp_server.judging import Ending, Judgement, Outcome, judge
from ftp_server.names import Names
from ftp_server.settling import Settling
from transfer.durable import make_folder, sync_folder
from transfer.evidence import weigh
from transfer.fingerprints import Measure

log = logging.getLogger("navette.server")

GRACE = 0.25
"""Seconds a control connection has to fall after the data ended, before a file that nothing proves is believed."""

FREE_SPACE = 64 * 1024 * 1024
"""Bytes that must stay free on the server's disk: below, deposits are refused with 452."""


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
class _Incoming:
    """One file under way: what was asked, where it goes, and its open staging file."""

    asked: Asked
    folders: Folders
    stage: Path
    file: BinaryIO
    measured: Measure


@dataclass
class Receiving:
    """Everything a reception needs; one for the whole server, used by all worker threads."""

    deposits: Deposits
    names: Names
    settling: Settling
    clock: Callable[[], float]
    reached: Callable[[str], None] = lambda _: None
    _local: threading.local = field(default_factory=threading.local)

    def receive(self, asked: Asked, folders: Folders, data: DataConnection, control_lost: threading.Event) -> Answer:
        """Receive, judge and publish what comes over ``data``; the answer is ready to be sent."""
        stage = self._staging(folders) / new_id()
        measured = Measure()
        with stage.open("xb", buffering=0) as file:
            try:
                ending = data.receive(_writer(file, measured))
            except OSError as error:
                data.break_off()
                stage.unlink()
                log.error("server.no_room errno=%s folder=%s", error.errno, stage.parent)
                return Answer(reply="452 The server has no room for this; nothing was stored, please keep your file.")
            data.finish()
            self.reached("server.received")
            incoming = _Incoming(asked, folders, stage, file, measured)
            judgement = _judged(incoming, ending, control_lost)
            if judgement.outcome is Outcome.SUSPECT:
                return self._keep_suspect(incoming, judgement.reason)
            return self._publish(incoming, judgement.reason)

    def _publish(self, incoming: _Incoming, evidence: str) -> Answer:
        asked, stage = incoming.asked, incoming.stage
        target = incoming.folders.published(asked.folder)
        make_folder(target)
        name = self.names.reserve(target, asked.name)
        digest = incoming.measured.fingerprint().sha256 or ""
        deposit = Deposit(
            id=stage.name,
            retry_key=retry_key(asked.login, asked.folder, asked.name, digest),
            fiduciary=asked.fiduciary,
            login=asked.login,
            folder=shown(asked.folder),
            name=name,
            size=incoming.measured.size,
            sha256=digest,
            peer=asked.peer,
            evidence=evidence,
            received_at=self.clock(),
        )
        known = self._record_and_sync(deposit, stage, incoming.file)
        self.reached("server.recorded")
        if known.id != deposit.id:
            self.names.release(target, name)
            stage.unlink()
            return Answer(known, again=True)
        deposit = self._link(deposit, stage, target, asked.name)
        self.reached("server.linked")
        self.settling.add(deposit.id, stage, target)
        return Answer(deposit)

    def _record_and_sync(self, deposit: Deposit, stage: Path, file: BinaryIO) -> Deposit:
        """Commit the row while the file is synced; return the deposit on record: this one, or the one it retries."""
        recorded = self.deposits.record(deposit)
        try:
            os.fsync(file.fileno())
            sync_folder(stage.parent)
        except OSError:
            if recorded.result().id == deposit.id:
                self.deposits.forget(deposit.id)
            raise
        self.reached("server.synced")
        return recorded.result()

    def _link(self, deposit: Deposit, stage: Path, target: Path, asked: str) -> Deposit:
        """Give the file its final name; a name that appeared on disk behind the server's back is stepped over."""
        while True:
            try:
                os.link(stage, target / deposit.name)
            except FileExistsError:
                deposit = replace(deposit, name=self.names.reserve(target, asked))
                self.deposits.rename(deposit, deposit.name)
            except FileNotFoundError:  # somebody removed the folder between making it and now
                make_folder(target)
            else:
                return deposit

    def _keep_suspect(self, incoming: _Incoming, reason: str) -> Answer:
        asked, stage, size = incoming.asked, incoming.stage, incoming.measured.size
        if size == 0:
            stage.unlink()
        else:
            os.fsync(incoming.file.fileno())
            place = (shown(asked.folder), asked.name)
            kept = Suspect(stage.name, asked.fiduciary, asked.login, *place, size, reason, asked.peer, self.clock())
            self.deposits.suspect(kept)
            stage.rename(incoming.folders.suspects / stage.name)
            sync_folder(incoming.folders.suspects)
        return Answer(reply=f"426 The document did not arrive whole ({reason}); please send it again.")

    def _staging(self, folders: Folders) -> Path:
        """Return this thread's own staging folder: syncing it does not wait for what other threads do in theirs."""
        made: dict[Path, Path] = self._local.__dict__.setdefault("made", {})
        if folders.staging not in made:
            own = folders.staging / str(threading.get_ident())
            make_folder(own)
            made[folders.staging] = own
        return made[folders.staging]


def _judged(incoming: _Incoming, ending: Ending, control_lost: threading.Event) -> Judgement:
    size = incoming.measured.size
    with incoming.stage.open("rb", buffering=0) as reader:
        content = weigh(lambda offset, length: _read_at(reader, offset, length), size)
    judgement = judge(ending, size, incoming.asked.announced, content)
    if judgement.outcome is Outcome.ASK_CONTROL and control_lost.wait(GRACE):
        return Judgement(Outcome.SUSPECT, "control_lost")
    return judgement


def has_room(folder: Path) -> bool:
    """Tell whether the server's disk has more than its floor of free space."""
    return shutil.disk_usage(folder).free > FREE_SPACE


def _writer(file: BinaryIO, measured: Measure) -> Callable[[memoryview], None]:
    fd = file.fileno()

    def write(block: memoryview) -> None:
        measured.add(block)
        while block:
            block = block[os.write(fd, block) :]

    return write


def _read_at(reader: BinaryIO, offset: int, length: int) -> bytes:
    reader.seek(offset)
    return reader.read(length) or b""
