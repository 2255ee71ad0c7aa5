"""Sends what is put into a folder, as long as it runs, without a window: a service; never asks anything."""

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from transfer.client_ini import ClientIni
from transfer.failures import Failure
from transfer.ftp_session import FtpSession
from transfer.retry import pauses
from uploader.attempts import Attempts
from uploader.events import Event, Finished
from uploader.folder import Folder
from uploader.history import History
from uploader.sending import Reached
from uploader.silent import ALL_SENT, LASTING, STOPPED, Options, Report, ended_by_signals
from uploader.upload import Upload
from uploader.watching import Watch

_LOOK_SECONDS = 10.0  # for folders that cannot be watched
_QUIET_SECONDS = 0.3


class SilentWatch:
    """Looks, sends, and waits for the next change, until it is stopped or the server refuses it for good."""

    def __init__(
        self,
        ini: ClientIni,
        options: Options,
        history: History,
        report: Report,
        *,
        now: Callable[[], float] = time.time,
        reached: Reached = lambda _: None,
    ) -> None:
        self._ini = ini
        self._options = options
        self._history = history
        self._report = report
        self._now = now
        self._reached = reached
        never = [options.ini_path, Path(sys.executable)]
        self._folder = Folder(options.folder, ini.extensions, never=never, settle=options.settle)
        self._attempts = Attempts()
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._upload: Upload | None = None
        self._pauses = pauses(attempts=sys.maxsize, first=15.0, factor=2.0)
        self._told: str | None = None

    def run(self) -> int:
        """Return when it is stopped (0), or what the program ends with when waiting would not help."""
        self._report.watching(self._options.folder)
        watch: Watch | None = None
        try:
            with ended_by_signals(self.stop):
                while not self._stopped.is_set():
                    if watch is None and self._options.folder.is_dir():
                        watch = Watch(self._options.folder, self._changed.set)
                    pause, code = self._round()
                    if code is not None:
                        return code
                    self._wait(pause)
        finally:
            if watch is not None:
                watch.stop()
        return ALL_SENT

    def stop(self) -> None:
        """End after the files under way; called again, at once."""
        self._stopped.set()
        self._changed.set()
        if self._upload is not None:
            self._upload.cancel()

    def _round(self) -> tuple[float, int | None]:
        """Look once and send what is due; return how long to wait then, and the exit code if this is the end."""
        try:
            files = self._folder.look(self._now())
        except Failure as failure:  # a drive that is gone comes back, and the folder with it
            self._tell_once(failure)
            return _LOOK_SECONDS, None
        self._told = None
        due = self._attempts.due(files, self._now())
        if not due:
            return (self._options.settle if any(not file.ready for file in files) else _LOOK_SECONDS), None
        opener = partial(FtpSession, self._ini.connection)
        self._upload = Upload(
            self._ini,
            self._history,
            opener,
            self._event,
            connections=self._options.connections,
            reached=self._reached,
        )
        if self._stopped.is_set():
            return 0, None
        finished = self._upload.run(file.path for file in due)
        self._upload = None
        return self._after(finished)

    def _after(self, finished: Finished) -> tuple[float, int | None]:
        if finished.stopped_by is None:
            self._pauses = pauses(attempts=sys.maxsize, first=15.0, factor=2.0)
            return 0, None
        if finished.stopped_by.code in LASTING:
            return 0, STOPPED[finished.stopped_by.code]
        self._attempts = Attempts()  # it was the server's fault, not the files'
        return next(self._pauses), None

    def _wait(self, seconds: float) -> None:
        """Wait for a change, or so long; a change that comes alone is given a moment to be followed by others."""
        if seconds >= _LOOK_SECONDS and self._changed.wait(seconds):
            self._stopped.wait(_QUIET_SECONDS)
        elif seconds < _LOOK_SECONDS:
            self._stopped.wait(seconds)
        self._changed.clear()

    def _event(self, event: Event) -> None:
        self._attempts.note(event, self._now())
        self._report.event(event)

    def _tell_once(self, failure: Failure) -> None:
        if failure.code != self._told:
            self._told = failure.code
            self._report.failure(failure)
