"""The rows of the window's list: which are ticked, and what each file has come to; never draws or sends anything."""

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transfer.failures import Failure
from uploader.events import Event, Failed, Fate, Pausing, Progress, Sent, Started
from uploader.folder import LocalFile
from uploader.history import version_key


class State(enum.StrEnum):
    """What a row says of its file."""

    READY = "ready"
    WRITING = "writing"
    SENT_BEFORE = "sent_before"
    QUEUED = "queued"
    SENDING = "sending"
    PAUSING = "pausing"
    RECEIVED = "received"
    FAILED = "failed"


_TICKABLE = frozenset({State.READY, State.SENT_BEFORE, State.FAILED})
_FRESH = frozenset({State.READY, State.FAILED})
_UNDER_WAY = frozenset({State.QUEUED, State.SENDING, State.PAUSING})


@dataclass
class Row:
    """One file: size in bytes, bytes sent so far, and the last that was told of it."""

    path: Path
    size: int
    mtime_ns: int
    state: State
    ticked: bool
    sent: int = 0
    fate: Fate | None = None
    failure: Failure | None = None
    seconds: float = 0

    @property
    def tickable(self) -> bool:
        """Whether a person may choose this file now."""
        return self.state in _TICKABLE


class Rows:
    """All rows. New files come ticked; those sent before, or still being written, do not."""

    def __init__(self) -> None:
        self._rows: dict[Path, Row] = {}
        self._sending: list[Path] = []

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def refresh(self, files: Iterable[LocalFile], sent_before: set[tuple[str, int, int]]) -> bool:
        """Take over what the folder holds now, and tell whether any row changed.

        Rows of files that went stay only as long as they tell of an upload.
        """
        listed = {file.path: file for file in files}
        changed = False
        for path, file in listed.items():
            row = self._rows.get(path)
            if row is None or (row.state not in _UNDER_WAY and (row.size, row.mtime_ns) != (file.size, file.mtime_ns)):
                self._rows[path] = _new_row(file, sent_before)
                changed = True
            elif row.state in {State.READY, State.WRITING} and (row.state is State.READY) != file.ready:
                row.state = State.READY if file.ready else State.WRITING
                row.ticked = file.ready
                changed = True
        telling = _UNDER_WAY | {State.RECEIVED, State.FAILED}
        for path in [path for path, row in self._rows.items() if path not in listed and row.state not in telling]:
            del self._rows[path]
            changed = True
        return changed

    def recognise(self, path: Path) -> None:
        """Take the tick off a new file whose bytes turned out to have been sent before."""
        row = self._rows.get(path)
        if row is not None and row.state is State.READY:
            row.state, row.ticked = State.SENT_BEFORE, False

    def clear(self) -> None:
        """Forget all rows: another folder was chosen."""
        self._rows.clear()

    def toggle(self, path: Path) -> None:
        """Tick a file, or take its tick away."""
        row = self._rows[path]
        row.ticked = row.tickable and not row.ticked

    def tick_all(self, ticked: bool, only: Callable[[Row], bool] = lambda _: True) -> None:
        """Tick every file that was not sent yet, or none; ``only`` says which ones."""
        for row in filter(only, self._rows.values()):
            row.ticked = ticked and row.state in _FRESH

    def chosen(self, only: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        """Return the ticked rows that can be sent."""
        return [row for row in filter(only, self._rows.values()) if row.ticked and row.tickable]

    def fresh(self) -> list[Row]:
        """Return the ticked rows that were never tried."""
        return [row for row in self.chosen() if row.state is State.READY]

    def failed(self) -> list[Row]:
        """Return the rows of files that were not sent."""
        return [row for row in self._rows.values() if row.state is State.FAILED]

    def all_ticked(self, only: Callable[[Row], bool] = lambda _: True) -> bool:
        """Whether every file that can be ticked by ``tick_all`` is."""
        fresh = [row for row in filter(only, self._rows.values()) if row.state in _FRESH]
        return bool(fresh) and all(row.ticked for row in fresh)

    def begin(self, rows: Iterable[Row]) -> None:
        """Mark rows as handed to an upload; what an earlier one brought over is in the history by now, and goes."""
        self._rows = {path: row for path, row in self._rows.items() if row.state is not State.RECEIVED}
        self._sending = []
        for row in rows:
            row.state, row.sent, row.failure = State.QUEUED, 0, None
            self._sending.append(row.path)

    def apply(self, event: Event) -> Path | None:
        """Take over what an upload told of a file; return the path whose row changed."""
        path = getattr(event, "path", None)
        row = self._rows.get(path) if path else None
        if row is None:
            return None
        match event:
            case Started(_, size):
                row.state, row.size, row.sent = State.SENDING, size, 0
            case Progress(_, sent):
                row.sent = sent
            case Pausing(_, failure, seconds):
                row.state, row.failure, row.seconds = State.PAUSING, failure, seconds
            case Sent(_, receipt, fate, _, trouble):
                row.state, row.sent, row.fate, row.failure = State.RECEIVED, receipt.size, fate, trouble
                row.ticked = False
            case Failed(_, failure) if failure.code == "upload.cancelled":
                row.state, row.failure = State.READY, None
            case Failed(_, failure):
                row.state, row.failure = State.FAILED, failure
        return row.path

    def finish(self, stopped_by: Failure | None = None) -> None:
        """Give back to the choice what an upload left, or never came to because it was stopped as a whole."""
        for row in self._rows.values():
            if row.state in _UNDER_WAY or (row.failure is not None and row.failure is stopped_by):
                row.state, row.failure = State.READY, None

    def progress(self) -> tuple[int, int, int, int]:
        """Return of the current upload: files settled, files in all, bytes sent, bytes in all."""
        rows = [self._rows[path] for path in self._sending if path in self._rows]
        settled = [row for row in rows if row.state in {State.RECEIVED, State.FAILED}]
        done = sum(row.size if row in settled else min(row.sent, row.size) for row in rows)
        return len(settled), len(rows), done, sum(row.size for row in rows)


def _new_row(file: LocalFile, sent_before: set[tuple[str, int, int]]) -> Row:
    if not file.ready:
        state = State.WRITING
    elif version_key(file.path, file.size, file.mtime_ns) in sent_before:
        state = State.SENT_BEFORE
    else:
        state = State.READY
    return Row(file.path, file.size, file.mtime_ns, state, ticked=state is State.READY)
