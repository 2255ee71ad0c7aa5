"""What the window shows, without the window: the folder, its rows, the upload that runs; never draws anything."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from transfer.client_ini import AfterUpload, ClientIni
from transfer.failures import Failure
from transfer.ftp_session import FtpSession
from uploader.events import Event, Failed, Finished, Pausing, Sent
from uploader.folder import Folder, LocalFile
from uploader.history import History
from uploader.rows import Row, Rows
from uploader.upload import Upload, target_of
from uploader.watching import Watch

_LONGEST_END_SECONDS = 5.0  # a server that does not even answer must not keep the window open
_LOOK_SECONDS = 5.0  # for folders that cannot be watched
_SETTLING_SECONDS = 1.0
_WATCH_AGAIN_SECONDS = 60.0  # after an upload that was stopped as a whole
_QUIET_SECONDS = 0.3  # after a change, so that a hundred files cost one look


@dataclass
class Changes:
    """What happened since the last poll."""

    rows: set[Path] = field(default_factory=set)
    listed: bool = False
    reaching: Pausing | None = None
    finished: Finished | None = None


class Desk:
    """Holds everything for one INI. All methods belong to one thread; uploads and watching have their own."""

    def __init__(
        self, ini: ClientIni, ini_path: Path, history: History, program: Path, now: Callable[[], float] = time.time
    ) -> None:
        self.ini = ini
        self.rows = Rows()
        self.folder: Path | None = None
        self.folder_failure: Failure | None = None
        self.failures: list[Failure] = []
        self._history = history
        self._never = [ini_path, program]
        self._now = now
        self._target = target_of(ini)
        self._sent_before: set[tuple[str, int, int]] = set()
        self._watch_from = 0.0
        self._listing: Folder | None = None
        self._dropped: dict[Path, tuple[Folder, set[Path]]] = {}
        self._watch: Watch | None = None
        self._changed_at: float | None = None
        self._looked_at = 0.0
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._upload: Upload | None = None
        self._thread: threading.Thread | None = None
        self._cancels = 0
        self._began = 0.0

    @property
    def running(self) -> bool:
        """Whether an upload is under way."""
        return self._upload is not None

    @property
    def cancels(self) -> int:
        """How often the running upload was asked to end."""
        return self._cancels

    @property
    def must_confirm(self) -> bool:
        """Whether the person was not yet told that sent files are removed from their folder."""
        removes = self.ini.after_upload is not AfterUpload.KEEP
        return removes and self._history.setting(f"told {self.ini.after_upload}") != "yes"

    def confirmed(self) -> None:
        """Remember that the person knows, and does not want to be asked again."""
        self._history.remember(f"told {self.ini.after_upload}", "yes")

    def last_folder(self) -> str:
        """Return the folder last chosen for this dossier, or nothing: another dossier's folder must not be offered."""
        return self._history.setting(f"folder {self._target}")

    def choose(self, folder: Path) -> None:
        """Show another folder, and remember it."""
        self._stop_watching()
        self.folder = folder.absolute()
        self._listing = Folder(self.folder, self.ini.extensions, self._never)
        self._dropped.clear()
        self.rows.clear()
        self._history.remember(f"folder {self._target}", str(self.folder))
        self._sent_before = self._history.versions_sent(self._target)
        self._watch = Watch(self.folder, self._note_change)
        self.look()

    def add(self, paths: Iterable[Path]) -> None:
        """Add single files from anywhere to the list, as if they stood in the folder."""
        for path in (path.absolute() for path in paths):
            place = self._dropped.setdefault(path.parent, (Folder(path.parent, never=self._never), set()))
            place[1].add(path)
        self.look()

    def look(self) -> bool:
        """Bring the rows up to date with the disk, and tell whether there is anything new to show."""
        told_before = self.folder_failure
        self._looked_at, self._changed_at = self._now(), None
        files: list[LocalFile] = []
        self.folder_failure = None
        if self._listing is not None:
            try:
                files = self._listing.look(self._now())
            except Failure as failure:
                self.folder_failure = failure
        for place, chosen in self._dropped.values():
            with contextlib.suppress(Failure):  # taken from a drive that is gone: so are its rows
                files += [file for file in place.look(self._now()) if file.path in chosen]
        changed = self.rows.refresh(files, self._sent_before)
        return changed or (told_before is None) != (self.folder_failure is None)

    def start(self, rows: list[Row]) -> None:
        """Begin to send the files of some rows."""
        self.rows.begin(rows)
        self.failures = []
        self._cancels, self._began = 0, self._now()
        opener = partial(FtpSession, self.ini.connection)
        self._upload = Upload(self.ini, self._history, opener, self._events.put)
        paths = [row.path for row in rows]
        self._thread = threading.Thread(target=self._upload.run, args=(paths,), name="uploads", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Once: end after the files under way. Again: at once."""
        if self._upload is not None:
            self._cancels += 1
            self._upload.cancel()

    def poll(self) -> Changes:
        """Take in what the upload told and what the disk shows; call it every few milliseconds."""
        changes = Changes()
        for event in self._told():
            if isinstance(event, Finished):
                self.rows.finish(event.stopped_by)
                self._end_thread()
                self._sent_before = self._history.versions_sent(self._target)
                if event.stopped_by is not None:
                    self.rest()
                changes.finished = event
                self._changed_at = self._now() - _QUIET_SECONDS
            elif isinstance(event, Pausing) and event.path is None:
                changes.reaching = event
            elif (path := self.rows.apply(event)) is not None:
                changes.rows.add(path)
            if (trouble := _trouble(event)) is not None:
                self.failures.append(trouble)
        if self._time_to_look():
            changes.listed = self.look()
        return changes

    def due(self) -> list[Row]:
        """Return what should be sent without being asked: new files, where the INI wants the folder watched."""
        if not self.ini.watch or self.running or self._now() < self._watch_from:
            return []
        return self.rows.fresh()

    def rest(self, seconds: float = _WATCH_AGAIN_SECONDS) -> None:
        """Send nothing unasked for a while."""
        self._watch_from = self._now() + seconds

    def remaining(self) -> float | None:
        """Return the seconds an upload will probably still take; None while that cannot be told."""
        _, _, done, total = self.rows.progress()
        elapsed = self._now() - self._began
        return None if elapsed < 2 or not done else (total - done) * elapsed / done

    def close(self) -> None:
        """Stop watching; an upload that still runs is asked to end at once."""
        self._stop_watching()
        if self._upload is not None:
            self._upload.cancel()
            self._upload.cancel()
        self._end_thread()

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.join(_LONGEST_END_SECONDS)
        self._thread = self._upload = None

    def _told(self) -> Iterable[Event]:
        while True:
            try:
                yield self._events.get_nowait()
            except Empty:
                return

    def _note_change(self) -> None:
        self._changed_at = self._now()

    def _time_to_look(self) -> bool:
        now = self._now()
        if self._changed_at is not None and now - self._changed_at >= _QUIET_SECONDS:
            return True
        unsettled = any(not row.tickable and not row.sent and row.state == "writing" for row in self.rows)
        return now - self._looked_at >= (_SETTLING_SECONDS if unsettled else _LOOK_SECONDS)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None


def _trouble(event: Event) -> Failure | None:
    """Return what a person must hear of when the upload is over."""
    if isinstance(event, Failed) and event.failure.code != "upload.cancelled":
        return event.failure
    return event.trouble if isinstance(event, Sent) else None
