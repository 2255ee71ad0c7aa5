"""Writes down files that are stored at the other side, then lets them go, many at a time; never without a receipt."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from transfer.failures import Failure, PermanentFailure
from transfer.receipts import Receipt
from uploader.events import Fate, Sent
from uploader.history import History
from uploader.local_file import Seen
from uploader.local_removal import LocalRemoval
from uploader.sending import Reached
from uploader.sent_file import Settled, ToRecord

_MOST = 100
_log = logging.getLogger("navette.uploader")


@dataclass(frozen=True)
class Proven:
    """A file with its receipt; ``line`` is that of the history, where an earlier upload wrote it already."""

    receipt: Receipt
    seen: Seen
    line: int | None = None


class Settling:
    """Takes files from the connections, which go on with the next ones meanwhile, and settles them in its own thread.

    All that wait are written down together: the disk is waited for once, and only then does the first of them go. What
    became of them is written down with the next ones; a sudden end in between forgets only that.
    """

    def __init__(
        self,
        history: History,
        target: str,
        removal: LocalRemoval,
        *,
        clock: Callable[[], datetime],
        tell: Callable[[Sent], None],
        reached: Reached,
    ) -> None:
        self._history = history
        self._target = target
        self._removal = removal
        self._clock = clock
        self._tell = tell
        self._reached = reached
        self._waiting: deque[Proven] = deque()
        self._batch: deque[Proven] = deque()
        self._change = threading.Condition()
        self._ending = False
        self._settled: list[Settled] = []
        self._thread = threading.Thread(target=self._run, name="settling", daemon=True)
        self.failure: Failure | None = None
        """Why nothing can be written down any more."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def take(self, stored: Proven) -> None:
        """Settle a file soon; raises the failure that made it impossible."""
        with self._change:
            self._change.wait_for(lambda: len(self._waiting) < _MOST or self.failure)
            if self.failure is not None:
                raise self.failure
            self._waiting.append(stored)
            self._change.notify_all()

    def end(self) -> list[Path]:
        """Return when all that was taken is settled; with a failure, return the files that are not."""
        with self._change:
            self._ending = True
            self._change.notify_all()
        self._thread.join()
        return [Path(one.receipt.source) for one in (*self._batch, *self._waiting)]

    def _run(self) -> None:
        try:
            while self._more():
                self._settle()
            self._history.record(self._target, [], self._settled, self._clock())
        except Failure as failure:
            self._fail(failure)
        except Exception:  # noqa: BLE001  # the connections must not wait for a thread that is gone
            _log.exception("upload.unexpected")
            self._fail(PermanentFailure("history.unusable", reason="unexpected"))

    def _fail(self, failure: Failure) -> None:
        with self._change:
            self.failure = failure
            self._change.notify_all()

    def _more(self) -> bool:
        """Wait for files; False when there are none and none will come."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._ending)
            self._batch, self._waiting = self._waiting, deque()
            self._change.notify_all()
        return bool(self._batch)

    def _settle(self) -> None:
        places = [None if one.line else self._removal.place(one.receipt) for one in self._batch]
        new = [
            ToRecord(one.receipt, one.seen, place)
            for one, place in zip(self._batch, places, strict=True)
            if one.line is None
        ]
        numbers = iter(self._history.record(self._target, new, self._settled, self._clock()))
        self._settled = []
        for place in places:
            one = self._batch[0]
            line = one.line or next(numbers)
            self._reached("upload.recorded")
            self._let_go(one, place, line)
            self._batch.popleft()

    def _let_go(self, one: Proven, place: Path | None, line: int) -> None:
        path = Path(one.receipt.source)
        try:
            fate, kept_as = self._removal.settle(one.receipt, one.seen, line, place)
        except Failure as trouble:
            self._tell(Sent(path, one.receipt, Fate.SENT, trouble=trouble))
            return
        self._reached("upload.removed")
        self._settled.append(Settled(line, fate, kept_as))
        self._tell(Sent(path, one.receipt, fate, kept_as))
