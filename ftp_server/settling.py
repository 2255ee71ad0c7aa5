"""Finishes what a publication may leave for later, and what a stopped server left behind; never answers a session."""

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ftp_server.deposits import Deposit, Deposits, Suspect
from ftp_server.folders import Folders, parts_of, shown
from ftp_server.names import Names
from ftp_server.placing import link_free
from ftp_server.staged import carried
from transfer.durable import make_folder, same_file, sync_folder
from transfer.fingerprints import Fingerprint, measure

log = logging.getLogger("navette.server")

_PAUSE = 0.5  # seconds between two passes: one sync of a folder serves all files published in it meanwhile


class _Publication(NamedTuple):
    stage: str
    target: str
    recorded: "Future[int] | None"

    @property
    def is_recorded(self) -> bool:
        return self.recorded is None or (self.recorded.done() and self.recorded.exception() is None)


class Settling:
    """Removes staging names once their final folders are synced, in a thread of its own."""

    def __init__(self, reached: Callable[[str], None] = lambda _: None) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, _Publication] = {}
        self._reached = reached
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settling", daemon=True)
        self._thread.start()

    def add(self, deposit_id: str, stage: str, target: str, recorded: "Future[int] | None") -> None:
        """Take over a published file: ``stage`` goes once its row and its folder ``target`` are on stable storage."""
        with self._lock:
            self._pending[deposit_id] = _Publication(stage, target, recorded)

    def forget(self, deposit_id: str) -> None:
        """Remove a staging name at once, because its document was collected: it must never be published again."""
        with self._lock:
            publication = self._pending.pop(deposit_id, None)
            if publication:
                Path(publication.stage).unlink(missing_ok=True)

    def settle(self) -> None:
        """Settle all that waits now and has its row; a row that could not be written is written by the next start."""
        with self._lock:
            batch = {key: each for key, each in self._pending.items() if each.is_recorded}
        for target in {publication.target for publication in batch.values()}:
            with contextlib.suppress(FileNotFoundError):
                sync_folder(Path(target))
        for deposit_id, publication in batch.items():  # one lock for all would let sessions wait for all
            with self._lock:
                if self._pending.pop(deposit_id, None):
                    Path(publication.stage).unlink(missing_ok=True)
        if batch:
            self._reached("server.settled")

    def close(self) -> None:
        """Settle what waits and stop."""
        self._stop.set()
        self._thread.join()
        self.settle()

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            self.settle()


@dataclass(frozen=True)
class Leftovers:
    """What a stopped server left in a fiduciary's staging folder; ``now`` in seconds since 1970 UTC."""

    fiduciary: str
    folders: Folders
    deposits: Deposits
    names: Names
    now: float

    def sort(self) -> None:
        """Bring every file to its one continuation (see :mod:`ftp_server.receiving`)."""
        for stage in sorted(path for path in self.folders.staging.rglob("*") if path.is_file()):
            deposit = self.deposits.find(stage.name) or carried(stage)
            if deposit is None:
                self._keep_suspect(stage)
            elif deposit.collected_at is not None:
                self._let_go(stage)
            else:
                self._publish(stage, deposit)
        for empty in [path for path in self.folders.staging.iterdir() if path.is_dir()]:
            with contextlib.suppress(OSError):
                empty.rmdir()

    def _let_go(self, stage: Path) -> None:
        """Remove a staging name whose document was collected; if it is the last one, it goes to the trash."""
        if stage.stat().st_nlink == 1:
            stage.replace(self.folders.trash / stage.name)
        else:
            stage.unlink()

    def _publish(self, stage: Path, deposit: Deposit) -> None:
        folder = self.folders.free_of_documents(parts_of(deposit.folder))
        target = self.folders.published(folder)
        make_folder(target)
        name, recorded = _name_of(stage, target), self.deposits.find(deposit.id)
        if name is None:
            with stage.open("rb") as file:
                whole = measure(file) == Fingerprint(deposit.size, deposit.sha256)
            if not whole:
                self.deposits.forget(deposit.id)
                self._keep_suspect(stage)
                return
            if recorded is None and self.deposits.known(deposit.retry_key):
                log.info("held, and published before: %s", target / deposit.name)
                stage.unlink()
                return
            name = link_free(self.names, stage, target, deposit.name)
            log.info("published after a restart: %s", target / name)
        placed = deposit._replace(folder=shown(folder), name=name)
        if recorded is None:
            self.deposits.record_at_once(placed)
            self.deposits.end(placed.retry_key, received=True)
        elif placed != deposit:
            self.deposits.rename(placed)
        sync_folder(target)
        stage.unlink()

    def _keep_suspect(self, stage: Path) -> None:
        size = stage.stat().st_size
        if size == 0:
            stage.unlink()
            return
        reason = "server_stopped"
        self.deposits.suspect(Suspect(stage.name, self.fiduciary, "", "/", stage.name, size, reason, "", self.now))
        stage.rename(self.folders.suspects / stage.name)
        sync_folder(self.folders.suspects)
        log.warning("suspect, the server had stopped while receiving it: %s (%d bytes)", stage.name, size)


def _name_of(stage: Path, target: Path) -> str | None:
    """Return the name under which a staging file is published already, or None."""
    if stage.stat().st_nlink == 1:
        return None
    return next((path.name for path in target.iterdir() if same_file(stage, path)), None)
