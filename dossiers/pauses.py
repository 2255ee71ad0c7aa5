"""Which folders a round cannot reach, so that what goes there stays at its source; never touches what is in them."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from dossiers import tables
from dossiers.designation import Lease
from dossiers.disk import failures
from dossiers.document import Destination, Document
from dossiers.firm import Firm
from transfer.failures import Failure, TemporaryFailure

UNREACHABLE = "delivery.folder_unreachable"
"""The failure of a folder, not of the document that meets it."""

WAITING = ""
"""Stands for the waiting folder where a dossier's number would stand."""

_pauses = tables.pauses


@dataclass(frozen=True)
class Pause:
    """A dossier (or :data:`WAITING`) whose folder cannot be reached, since when, and how many documents that keeps."""

    dossier: str
    folder: str
    cause: str
    since: datetime
    documents: int = 0


class Pauses:
    """What one round finds out about the folders it delivers to; for several threads at once.

    Each folder is looked at once, before anything is fetched for it. One that fails later pauses from then on.
    """

    def __init__(self, firm: Firm, lease: Lease, look: Callable[[Path], None] | None = None) -> None:
        self._firm = firm
        self._lease = lease
        self._look = look or _look
        self._turn = threading.Lock()
        self._met: dict[str, TemporaryFailure] = {}
        self._seen: set[tuple[str, Path]] = set()
        self._kept: defaultdict[str, set[str]] = defaultdict(set)

    def holds_back(self, to: Destination, path: str) -> bool:
        """Tell whether the document at ``path`` must stay at its source because its folder cannot be reached."""
        dossier = to.dossier or WAITING
        with self._turn:
            if (dossier, to.anchor) not in self._seen and dossier not in self._met:
                self._seen.add((dossier, to.anchor))
                try:
                    self._look(to.anchor)
                except TemporaryFailure as failure:
                    self._met[dossier] = failure
            if dossier in self._met:
                self._kept[dossier].add(path)
            return dossier in self._met

    def meet(self, document: Document, failure: Failure) -> bool:
        """Note a failure of a document; tell whether it is its folder's, so that the document has not failed itself."""
        if not isinstance(failure, TemporaryFailure) or failure.code != UNREACHABLE:
            return False
        with self._turn:
            self._met.setdefault(document.dossier or WAITING, failure)
            self._kept[document.dossier or WAITING].add(document.path)
        return True

    def hold_any(self, paths: Iterable[str]) -> bool:
        """Tell whether one of these documents was kept back in this round."""
        with self._turn:
            return any(path in kept for kept in self._kept.values() for path in paths)

    def end(self, origin: str) -> tuple[Pause, ...]:
        """Keep for all to see what is paused for documents of this origin, with the moment it began; return it."""
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            since = {pause.dossier: pause.since for pause in _kept(connection, origin)}
            now = tuple(self._pause(dossier, since.get(dossier)) for dossier in sorted(self._met))
            if since:
                connection.execute(delete(_pauses).where(_pauses.c.origin == origin))
            if now:
                connection.execute(insert(_pauses), [{"origin": origin, **vars(pause)} for pause in now])
        return now

    def _pause(self, dossier: str, since: datetime | None) -> Pause:
        told = self._met[dossier].values
        folder, cause = str(told["folder"]), str(told["cause"])
        return Pause(dossier, folder, cause, since or self._firm.clock(), len(self._kept[dossier]))


def every(firm: Firm, origin: str) -> Sequence[Pause]:
    """Return what was paused when the last round of this origin ended."""
    with firm.database.read() as connection:
        return _kept(connection, origin)


def _kept(connection: Connection, origin: str) -> Sequence[Pause]:
    rows = connection.execute(select(_pauses).where(_pauses.c.origin == origin).order_by(_pauses.c.dossier))
    return [Pause(row.dossier, row.folder, row.cause, row.since, row.documents) for row in rows]


def _look(folder: Path) -> None:
    with failures(folder):
        folder.stat()
