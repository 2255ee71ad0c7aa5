"""Lets local files go once they are stored elsewhere, each against its receipt; never without one, never by a path."""

import contextlib
import threading
from collections.abc import Callable, Container, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from transfer.client_ini import AfterUpload
from transfer.failures import Failure, PermanentFailure
from transfer.fingerprints import measure
from transfer.receipts import Proof, Receipt
from transfer.safe_names import numbered
from uploader.events import Fate
from uploader.history import History
from uploader.local_file import Seen, WatchedFile, check_unchanged
from uploader.sent_file import SentFile

_bin = threading.Lock()  # send2trash looks for a free name and takes it in two steps: two at once may take the same


class LocalRemoval:
    """Does with sent files what the INI says; ``sent_folder`` is the name of the folder for those that are kept."""

    def __init__(self, after: AfterUpload, sent_folder: str, history: History, clock: Callable[[], datetime]) -> None:
        self._after = after
        self._sent_folder = sent_folder
        self._history = history
        self._clock = clock
        self._promised: set[Path] = set()

    def place(self, receipt: Receipt) -> Path | None:
        """Return where a file will be kept: ``<sent_folder>/YYYY-MM`` beside it, under a free name; None if it goes.

        It is to be written down before the file is moved, so that it is found again whatever happens.
        """
        if receipt.proof is Proof.REPLY or self._after is AfterUpload.KEEP:
            return self._kept_as(Path(receipt.source))
        return None

    def settle(self, receipt: Receipt, seen: Seen, line: int, place: Path | None = None) -> tuple[Fate, Path | None]:
        """Let a file of the history's ``line`` go, and return what became of it and where it is kept.

        A receipt that rests on the server's word alone deletes nothing: the file is kept. So is one for which there
        is no recycle bin. ``place`` is where it is kept, if that was written down already. Raises ``local.not_removed``
        when the folder does not let it go, and ``upload.changed`` when it is no longer the file that was sent.
        """
        if place is None and receipt.proof is not Proof.REPLY:
            if self._after is AfterUpload.DELETE:
                remove(receipt, seen)
                return Fate.REMOVED, None
            if self._after is AfterUpload.RECYCLE and recycle(receipt, seen):
                return Fate.RECYCLED, None
        if place is None:
            place = self._kept_as(Path(receipt.source))
            self._history.settle(line, Fate.SENT, place)
        self._keep(receipt, seen, place)
        return Fate.KEPT, place

    def _kept_as(self, path: Path) -> Path:
        folder = path.parent / self._sent_folder / f"{self._clock():%Y-%m}"
        place = _free(folder, path.name, self._promised)
        self._promised.add(place)
        return place

    @staticmethod
    def _keep(receipt: Receipt, seen: Seen, place: Path) -> None:
        path = Path(receipt.source)
        with _refusals(path):
            check_unchanged(path, seen)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)

    def purge(self, keep_days: int) -> None:
        """Delete what was kept for more than ``keep_days`` days and still is, byte for byte, what was sent."""
        for line in self._history.kept_before(self._clock() - timedelta(days=keep_days)):
            if line.kept_as is None or line.proof is Proof.REPLY:
                continue
            with contextlib.suppress(Failure):  # changed, moved or locked: it stays
                with WatchedFile(Path(line.kept_as)) as kept:
                    receipt = line.receipt_for(kept.path, measure(kept))
                remove(receipt, kept.seen)
                self._history.settle(line.number, Fate.REMOVED)


def put_back(line: SentFile, history: History) -> Path:
    """Move a kept file back to the folder it was sent from, under a free name, and return where it is now.

    It counts as sent all the same. Raises ``local.not_put_back`` when it is no longer there, or cannot go.
    """
    kept = Path(line.kept_as or "")
    try:
        target = _free(Path(line.path).parent, Path(line.path).name)
        kept.rename(target)
    except OSError:
        raise PermanentFailure("local.not_put_back", file=kept.name) from None
    history.settle(line.number, Fate.RESTORED)
    return target


def remove(receipt: Receipt, seen: Seen) -> None:
    """Delete the local file a receipt was made for, provided that it still is the one that was seen."""
    path = Path(receipt.source)
    with _refusals(path):
        check_unchanged(path, seen)
        path.unlink()


def recycle(receipt: Receipt, seen: Seen) -> bool:
    """Put the local file in the system's recycle bin; return False where there is none that takes it."""
    path = Path(receipt.source)
    check_unchanged(path, seen)
    try:
        import send2trash  # type: ignore[import-untyped]
    except ImportError:  # left out of a build: then there is no recycle bin
        return False
    try:
        with _bin:
            send2trash.send2trash(str(path))
    except OSError:
        return False
    return True


def _free(folder: Path, name: str, promised: Container[Path] = ()) -> Path:
    n, path = 1, folder / name
    while path in promised or path.exists():
        n += 1
        path = folder / numbered(name, n)
    return path


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise PermanentFailure("local.not_removed", file=path.name) from None
