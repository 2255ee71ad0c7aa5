"""Receives one document in a worker thread, judges it and has it published; never gives a file its name itself."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ftp_server.data_connection import Control, DataConnection
from ftp_server.deposits import Deposit, Suspect, retry_key
from ftp_server.folders import Folder, Folders, shown
from ftp_server.holding import Held, is_probe
from ftp_server.judging import Ending, Judgement, Outcome, judge
from ftp_server.publishing import Publishing
from ftp_server.staged import Staged, StagingFolder
from transfer.durable import sync_folder
from transfer.evidence import Evidence

log = logging.getLogger("navette.server")

GRACE = 0.25
"""Seconds a control connection has to fall after the data ended, before a file that nothing proves is believed."""


class Asked(NamedTuple):
    """What a session asks to store: who, where, under which name, from which address, of which announced size.

    ``temporary``: the device will rename it; ``close_notify``: over TLS, no end without the closing message is clean;
    ``appended``: it may be the rest of a document whose beginning was sent earlier.
    """

    fiduciary: str
    login: str
    folder: Folder
    name: str
    peer: str
    announced: int | None = None
    temporary: bool = False
    close_notify: bool = True
    appended: bool = False


class Answer(NamedTuple):
    """The deposit, which may be held or the earlier one that this is a retry of, or else the reply that refuses it."""

    deposit: Deposit | None = None
    again: bool = False
    held: Held | None = None
    reply: str = ""


@dataclass
class Receiving:
    """Everything a reception needs; one for the whole server, used by all worker threads."""

    publishing: Publishing
    clock: Callable[[], float]
    reached: Callable[[str], None] = lambda _: None
    _staging_folders: dict[int, StagingFolder] = field(default_factory=dict)  # of each thread, the one it used last

    def prepare(self, folders: Folders) -> None:
        """Make ready for a document that this thread will probably receive next."""
        with suppress(OSError):  # then the document itself will be told
            self._staging(folders).prepare()

    def receive(self, asked: Asked, folders: Folders, data: DataConnection, answer: Callable[[Answer], None]) -> None:
        """Receive, judge and publish what comes over ``data``, and call ``answer`` as soon as the reply may be sent."""
        staged = self._staging(folders).take()
        try:
            try:
                ending = data.receive(staged.write)
            except OSError as error:
                data.break_off()
                staged.drop()
                log.error("server.no_room errno=%s folder=%s", error.errno, folders.staging)
                no_room = "452 The server has no room for this; nothing was stored, please keep your file."
                answer(Answer(reply=no_room))
                return
            staged.hurry()
            data.finish()
            self.reached("server.received")
            content = staged.weigh()
            judgement = _judged(staged, ending, asked, content, data.control)
            if judgement.outcome is Outcome.SUSPECT:
                answer(self._keep_suspect(asked, folders, staged, judgement.reason))
                return
            deposit = self._deposit(asked, staged, judgement.reason)
            if (asked.temporary or is_probe(staged.size, content)) and staged.seal(deposit):
                answer(Answer(deposit, held=Held(deposit, Path(staged.path), folders)))
            else:
                told = partial(_told, answer)
                try:
                    self.publishing.publish(deposit, staged.path, folders, staged.seal, told)
                except OSError:  # the sender keeps it and sends it again: the next start must not publish it too
                    staged.drop()
                    raise
        finally:
            staged.close()

    def _deposit(self, asked: Asked, staged: Staged, evidence: str) -> Deposit:
        sha256 = staged.sha256
        return Deposit(
            id=staged.id,
            retry_key=retry_key(asked.login, asked.folder, asked.name, sha256),
            fiduciary=asked.fiduciary,
            login=asked.login,
            folder=shown(asked.folder),
            name=asked.name,
            size=staged.size,
            sha256=sha256,
            peer=asked.peer,
            evidence=evidence,
            received_at=self.clock(),
        )

    def _keep_suspect(self, asked: Asked, folders: Folders, staged: Staged, reason: str) -> Answer:
        if staged.size == 0:
            staged.drop()
        else:
            staged.sync()
            place = (shown(asked.folder), asked.name)
            now = self.clock()
            kept = Suspect(staged.id, asked.fiduciary, asked.login, *place, staged.size, reason, asked.peer, now)
            self.publishing.deposits.suspect(kept)
            Path(staged.path).rename(folders.suspects / staged.id)
            sync_folder(folders.suspects)
        return Answer(reply=f"426 The document did not arrive whole ({reason}); please send it again.")

    def close(self) -> None:
        """Let go of the staging folders, once no thread receives any more."""
        for folder in self._staging_folders.values():
            folder.close()

    def _staging(self, folders: Folders) -> StagingFolder:
        """Return this thread's own staging folder; that of another fiduciary, used before, is let go."""
        thread = threading.get_ident()
        own = self._staging_folders.get(thread)
        if own is None or own.path.parent != folders.staging:
            if own is not None:
                own.close()
            own = StagingFolder(folders.staging / str(threading.get_native_id()))  # no thread of any process shares it
            self._staging_folders[thread] = own
        return own


def _told(answer: Callable[[Answer], None], deposit: Deposit, again: bool) -> None:
    answer(Answer(deposit, again=again))


def _judged(staged: Staged, ending: Ending, asked: Asked, content: Evidence, control: Control) -> Judgement:
    if ending is Ending.TRUNCATED and not asked.close_notify:
        ending = Ending.CLOSED
    judgement = judge(ending, staged.size, asked.announced, content)
    if asked.appended and content is Evidence.UNKNOWN and judgement.outcome is not Outcome.SUSPECT:
        return Judgement(Outcome.SUSPECT, "no_beginning")
    if judgement.outcome is Outcome.ASK_CONTROL:
        control.stand_by(GRACE)
        if control.stopped:
            return Judgement(Outcome.SUSPECT, Ending.ABORTED.value)
        if control.lost and not control.said_goodbye:
            return Judgement(Outcome.SUSPECT, "control_lost")
    return judgement
