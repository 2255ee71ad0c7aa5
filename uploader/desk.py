"""What the window shows, without the window: the folder, its rows, the upload that runs; never draws anything."""

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
from uploader.history import History
from uploader.looking import Looker
from uploader.pace import Pace
from uploader.places import Looked, Places
from uploader.recognising import Recognising
from uploader.rows import Row, Rows, State
from uploader.sent_desk import SentDesk
from uploader.upload import Upload, target_of
from uploader.watching import Watch

_LONGEST_END_SECONDS = 5.0  # a server that does not even answer must not keep the window open
_LOOK_SECONDS = 5.0  # for folders that cannot be watched
_PATIENCE_SECONDS = 0.3  # most folders are read at once; a drive that is slow must not freeze the window
_QUIET_SECONDS = 0.3  # after a change, so that a hundred files cost one look
_SETTLING_SECONDS = 1.0
_WATCH_AGAIN_SECONDS = 60.0  # after an upload that was stopped as a whole


@dataclass
class Changes:
    """What happened since the last poll."""

    rows: set[Path] = field(default_factory=set)
    listed: bool = False
    followed: bool = False
    reaching: Pausing | None = None
    finished: Finished | None = None


class Desk:
    """Holds everything for one INI. All methods belong to one thread; uploads, looks and watching have their own.

    ``patience``: seconds that a look may take before the list goes on without it.
    """

    def __init__(
        self,
        ini: ClientIni,
        ini_path: Path,
        history: History,
        program: Path,
        *,
        now: Callable[[], float] = time.time,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self.ini = ini
        self.rows = Rows()
        self.folder_failure: Failure | None = None
        self.failures: list[Failure] = []
        self.sent_here = 0
        """Files sent since the window was opened."""
        self._history = history
        self._never = [ini_path, program]
        self._now = now
        self._patience = patience
        self._target = target_of(ini)
        self.sent = SentDesk(history, self._target, self._session, now)
        self._watching = history.setting(f"watch {self._target}", "yes" if ini.watch else "no") == "yes"
        self._watch_from = 0.0
        self._sent_before: set[tuple[str, int, int]] = set()
        self._recognising = Recognising()
        self._unread = False
        self._places = Places(None, ini.extensions, self._never)
        self._looker: Looker[Looked] = Looker()
        self._watch: Watch | None = None
        self._changed_at: float | None = None
        self._looked_at = 0.0
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._upload: Upload | None = None
        self._thread: threading.Thread | None = None
        self._cancels = 0
        self._pace = Pace()
        self._learn()

    @property
    def folder(self) -> Path | None:
        """The chosen folder."""
        return self._places.folder

    @property
    def reading(self) -> bool:
        """Whether a folder is being read that did not come at once."""
        return self._looker.busy

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

    @property
    def watching(self) -> bool:
        """Whether new files are sent without being asked: as a person chose, else as the INI says."""
        return self.ini.watch if "watch" in self.ini.locked else self._watching

    def watch(self, wanted: bool) -> None:
        """Send new files by themselves from now on, or no longer; and remember it."""
        self._watching = wanted
        self._watch_from = 0.0
        self._history.remember(f"watch {self._target}", "yes" if wanted else "no")

    def last_folder(self) -> str:
        """Return the folder last chosen for this dossier, or nothing: another dossier's folder must not be offered."""
        return self._history.setting(f"folder {self._target}")

    def choose(self, folder: Path) -> None:
        """Show another folder, and remember it."""
        self._stop_watching()
        self._places = Places(folder, self.ini.extensions, self._never)
        self._looker = Looker()  # one that still waits for the folder before is left alone
        self.rows.clear()
        self._history.remember(f"folder {self._target}", str(self._places.folder))
        self._watch = Watch(folder.absolute(), self._note_change)
        self.look()

    def add(self, paths: Iterable[Path]) -> None:
        """Add single files from anywhere to the list, as if they stood in the folder."""
        self._places.add(paths)
        self.look()

    def look(self) -> bool:
        """Bring the rows up to date with the disk, and tell whether there is anything new to show.

        What a slow drive tells later comes with a poll.
        """
        changed = self._take_look(self._patience if self._looker.busy else 0)
        if not self._looker.busy:
            self._begin_look()
            changed = self._take_look(self._patience) or changed
        return changed

    def start(self, rows: list[Row]) -> None:
        """Begin to send the files of some rows."""
        self.rows.begin(rows)
        self.failures = []
        self._cancels, self._pace = 0, Pace()
        self._upload = Upload(self.ini, self._history, self._session, self._events.put)
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
                self._take_end(event)
                changes.finished = event
            elif isinstance(event, Pausing) and event.path is None:
                changes.reaching = event
            elif (path := self.rows.apply(event)) is not None:
                changes.rows.add(path)
            if (trouble := _trouble(event)) is not None:
                self.failures.append(trouble)
        changes.listed = self._take_look()
        if self._time_to_look():
            self._begin_look()
        changes.listed = self._recognise() or changes.listed
        changes.followed = self.sent.poll()
        return changes

    def due(self) -> list[Row]:
        """Return what should be sent without being asked: new files, where the folder is watched.

        A file that may have been sent before, under another name, waits until that is known.
        """
        if not self.watching or self.running or self._now() < self._watch_from:
            return []
        return [row for row in self.rows.fresh() if not self._recognising.unknown(row)]

    def rest(self, seconds: float = _WATCH_AGAIN_SECONDS) -> None:
        """Send nothing unasked for a while."""
        self._watch_from = self._now() + seconds

    def pace(self) -> tuple[float | None, float | None]:
        """Return of the running upload bytes per second and seconds left; None while that cannot be told."""
        _, _, done, total = self.rows.progress()
        self._pace.add(self._now(), done)
        return self._pace.rate(), self._pace.remaining(total - done)

    def close(self) -> None:
        """Stop watching; an upload that still runs is asked to end at once."""
        self._stop_watching()
        if self._upload is not None:
            self._upload.cancel()
            self._upload.cancel()
        self._end_thread()

    def _session(self) -> FtpSession:
        return FtpSession(self.ini.connection)

    def _take_end(self, finished: Finished) -> None:
        self.rows.finish(finished.stopped_by)
        self._end_thread()
        self._learn()
        self.sent_here += finished.sent
        if finished.stopped_by is not None:
            self.rest()
        self._changed_at = self._now() - _QUIET_SECONDS

    def _learn(self) -> None:
        """Know again all that was sent."""
        self._sent_before = self._history.versions_sent(self._target)
        self._recognising.know(self._history.contents_sent(self._target))
        self._unread = True

    def _begin_look(self) -> None:
        self._looked_at, self._changed_at = self._now(), None
        self._looker.begin(partial(self._places.look, self._now()))

    def _take_look(self, patience: float = 0) -> bool:
        looked = self._looker.take(patience) if self._looker.busy else None
        if looked is None:
            return False
        told_before = self.folder_failure
        self.folder_failure = looked.failure
        changed = self.rows.refresh(looked.files, self._sent_before)
        if changed:
            self._unread = True
            self._recognise(self._patience)
        return changed or (told_before is None) != (looked.failure is None)

    def _recognise(self, patience: float = 0) -> bool:
        """Go on reading files that may have been sent before; tell whether one was recognised."""
        if self.running or not self._unread:
            return False
        self._unread = self._recognising.read_on(self.rows.fresh(), patience)
        known = [row.path for row in self.rows.fresh() if self._recognising.known(row)]
        for path in known:
            self.rows.recognise(path)
        return bool(known)

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
        if self._looker.busy:
            return False
        now = self._now()
        if self._changed_at is not None and now - self._changed_at >= _QUIET_SECONDS:
            return True
        since = now - self._looked_at
        return since >= _LOOK_SECONDS or (
            since >= _SETTLING_SECONDS and any(row.state is State.WRITING for row in self.rows)
        )

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None


def _trouble(event: Event) -> Failure | None:
    """Return what a person must hear of when the upload is over."""
    if isinstance(event, Failed) and event.failure.code != "upload.cancelled":
        return event.failure
    return event.trouble if isinstance(event, Sent) else None
