"""Sends chosen files over several connections and lets each go against its receipt; never draws or prints anything."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from transfer.client_ini import ClientIni
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.fingerprints import measure
from transfer.ftp_session import FtpSession
from transfer.language import Language
from transfer.retry import Wait, retrying
from uploader.events import Event, Failed, Finished, Pausing, Progress, Sent, Started
from uploader.history import History
from uploader.line import Line
from uploader.local_file import WatchedFile, check_unchanged
from uploader.local_removal import LocalRemoval
from uploader.sending import Reached, Sending
from uploader.settling import Proven, Settling

CONNECTIONS = 8
"""Connections at a time; a server that allows fewer simply gets fewer."""

_STUCK_SECONDS = 2.0
_T = TypeVar("_T")
_log = logging.getLogger("navette.uploader")


def target_of(ini: ClientIni) -> str:
    """Return the one word for where an INI sends to; the history keeps what went to each target apart."""
    connection = ini.connection
    return f"{connection.user}@{connection.host}:{connection.port}{ini.remote_folder}"


class Upload:
    """One upload of chosen files. ``tell`` gets each event, one at a time, from the threads that work.

    ``open_session`` makes a session that is not entered yet; ``clock`` returns the time with its zone; ``wait`` pauses
    between attempts (without one, a pause ends when the upload is cancelled).
    """

    def __init__(
        self,
        ini: ClientIni,
        history: History,
        open_session: Callable[[], FtpSession],
        tell: Callable[[Event], None],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Wait | None = None,
        connections: int = CONNECTIONS,
        reached: Reached = lambda _: None,
    ) -> None:
        self._ini = ini
        self._history = history
        self._tell_outside = tell
        self._clock = clock
        self._cancelled = threading.Event()
        self._stopped = threading.Event()
        # A transfer that moves breaks off by itself, so that no server can take it for whole; only one that is still
        # stuck after a moment needs its sockets shut.
        self._breaker = threading.Timer(_STUCK_SECONDS, self._abandon)
        self._breaker.daemon = True
        self._wait = wait or self._pause
        self._reached = reached
        self._target = target_of(ini)
        self._sending = Sending(history, self._target, ini.remote_folder, clock, reached)
        sent_folder = Language(ini.language, "uploader").say("folder.sent")
        self._removal = LocalRemoval(ini.after_upload, sent_folder, history, clock)
        self._settling = Settling(history, self._target, self._removal, clock=clock, tell=self._tell, reached=reached)
        self._lines = [Line(open_session, self._sending.make_folders) for _ in range(connections)]
        self._telling = threading.Lock()
        self._sent = self._failed = self._stayed = 0
        self._turn = threading.Lock()
        self._queue: deque[Path] = deque()
        self._working = 0
        self._stopped_by: Failure | None = None

    def run(self, paths: Iterable[Path]) -> Finished:
        """Send the files, largest first, and return how it ended; everything else is told on the way."""
        self._queue.extend(sorted((path.absolute() for path in paths), key=_size, reverse=True))
        try:
            with self._history.only_upload(self._target):
                self._sending.begin()
                self._removal.purge(self._ini.keep_days)
                if self._queue:
                    self._run_lines()
        except Failure as failure:
            self._give_up(failure)
        finished = Finished(self._sent, self._failed, self._stayed, len(self._queue), self._stopped_by)
        self._tell(finished)
        return finished

    def cancel(self) -> None:
        """Once: end after the files that are being sent. Again: break those off too. Any thread may call it."""
        if self._cancelled.is_set() and not self._stopped.is_set():
            self._stopped.set()
            self._breaker.start()
        self._cancelled.set()

    def _run_lines(self) -> None:
        """Open one connection, so that a wrong password is tried once and not eight times; then start the others."""
        try:
            self._trying(None, self._lines[0].session)
        except Failure as failure:
            if not self._cancelled.is_set():
                self._give_up(failure)
            return
        lines = self._lines[: len(self._queue)]
        self._working = len(lines)
        threads = [threading.Thread(target=self._work, args=(line,), name="upload", daemon=True) for line in lines]
        self._settling.start()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        unsettled = self._settling.end()
        if self._settling.failure is not None:
            self._queue.extendleft(unsettled)
            self._give_up(self._settling.failure)
        self._breaker.cancel()
        if self._breaker.is_alive():
            self._breaker.join()

    def _work(self, line: Line) -> None:
        """Send files of the queue over one connection until none is left or the server is out of reach."""
        path: Path | None = None
        try:
            line.session()
            while (path := self._next()) is not None:
                self._send_one(line, path)
        except Failure as failure:
            self._leave(path, failure)
        finally:
            line.close()

    def _send_one(self, line: Line, path: Path) -> None:
        """Send a file and tell how it went; raises only when the connection cannot be opened again."""
        try:
            self._trying(path, lambda: self._attempt(line, path))
        except Failure as failure:
            if failure is line.refusal or failure is self._settling.failure:
                raise
            self._tell(Failed(path, failure))
        except Exception:  # noqa: BLE001  # one strange file must not stop the others
            _log.exception("upload.unexpected")
            line.drop()
            self._tell(Failed(path, PermanentFailure("upload.unexpected", file=path.name)))

    def _attempt(self, line: Line, path: Path) -> None:
        """Send a file once and hand it over to be written down and then to go, in this order."""
        with WatchedFile(path) as source:
            self._tell(Started(path, source.seen.size))
            stored = self._sent_before(source) or self._send(line, source)
        self._settling.take(stored)

    def _sent_before(self, source: WatchedFile) -> Proven | None:
        """Return the receipt of a file that was sent by an upload that ended before it could let it go."""
        if not self._sending.unfinished(source.path):
            return None
        line = self._history.unsettled(self._target, source.path, source.seen)
        if line is None:
            return None
        found = measure(source)
        source.seek(0)
        if found.sha256 != line.sha256:
            return None
        return Proven(line.receipt_for(source.path, found), source.seen, line.number)

    def _send(self, line: Line, source: WatchedFile) -> Proven:
        def progress(sent: int) -> None:
            if self._stopped.is_set():
                raise PermanentFailure("upload.cancelled", file=source.path.name)
            self._tell(Progress(source.path, sent))

        try:
            receipt = self._sending.send(line.session(), source, progress)
        except TemporaryFailure as failure:
            if failure.code.startswith("session."):
                line.drop()
            raise
        check_unchanged(source.path, source.seen)
        return Proven(receipt, source.seen)

    def _trying(self, path: Path | None, action: Callable[[], _T]) -> _T:
        """Try again after a pause what failed for a time; once cancelled, a failure is the last."""
        last: Failure | None = None

        def attempt() -> _T:
            nonlocal last
            if self._cancelled.is_set() and last is not None:
                raise PermanentFailure("upload.cancelled", file=path.name if path else "")
            try:
                return action()
            except TemporaryFailure as failure:
                last = failure
                raise

        def pause(seconds: float) -> None:
            if last is not None and not self._cancelled.is_set():
                self._tell(Pausing(path, last, seconds))
                self._wait(seconds)

        return retrying(attempt, pause)

    def _next(self) -> Path | None:
        """Take the next file, or sign off when there is none or the upload is cancelled."""
        with self._turn:
            if self._queue and not self._cancelled.is_set():
                return self._queue.popleft()
            self._working -= 1
            return None

    def _leave(self, path: Path | None, failure: Failure) -> None:
        """Give a file back to the other connections; the last connection to leave gives all files up."""
        with self._turn:
            self._working -= 1
            if path is not None:
                self._queue.appendleft(path)
            last = self._working == 0
        if last and not self._cancelled.is_set():
            self._give_up(failure)

    def _give_up(self, failure: Failure) -> None:
        self._stopped_by = failure
        while self._queue:
            self._tell(Failed(self._queue.popleft(), failure))

    def _pause(self, seconds: float) -> None:
        self._cancelled.wait(seconds)

    def _abandon(self) -> None:
        for line in self._lines:
            line.abandon()

    def _tell(self, event: Event) -> None:
        with self._telling:
            if isinstance(event, Sent):
                self._sent += 1
                self._stayed += event.trouble is not None
            elif isinstance(event, Failed):
                self._failed += 1
            self._tell_outside(event)


def _size(path: Path) -> int:
    """Return a file's size for the order of sending; one that went away in the meantime comes last."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0
