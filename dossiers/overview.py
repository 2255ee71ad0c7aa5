"""Counts what came, what waits and what is ready, for the pages people look at all day; never reads a document."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select

from dossiers import tables
from dossiers.document import Document, State, from_row
from dossiers.firm import Firm
from dossiers.moving import AT_REST

Seen = Collection[str] | None
"""The dossiers of which documents are counted or listed; None: all of them, and what waits."""

_documents = tables.documents
_ARRIVED = _documents.c.state.in_([state.value for state in AT_REST])


@dataclass(frozen=True)
class Came:
    """What came from one kind of source in a time: into dossiers, on the waiting list, and still under way."""

    origin: str
    filed: int = 0
    waiting: int = 0
    under_way: int = 0


def came(firm: Firm, since: datetime, until: datetime, seen: Seen = None) -> list[Came]:
    """Return what was found at each kind of source from one moment up to another."""
    where = case(
        (_documents.c.state.not_in([state.value for state in AT_REST]), "under_way"),
        (_documents.c.dossier.is_(None), "waiting"),
        else_="filed",
    )
    within = _documents.c.found >= since, _documents.c.found < until, _documents.c.state != State.VANISHED.value
    query = select(_documents.c.origin, where.label("place"), func.count()).where(*within, *_of(seen))
    found: dict[str, dict[str, int]] = {}
    with firm.database.read() as connection:
        for origin, place, number in connection.execute(query.group_by(_documents.c.origin, where)):
            found.setdefault(origin, {})[place] = number
    return [Came(origin, **numbers) for origin, numbers in sorted(found.items())]


def ready_by_dossier(firm: Firm, seen: Seen = None) -> dict[str, int]:
    """Return how many documents of each dossier nobody has processed yet, most first."""
    which = _documents.c.processed.is_(None), _documents.c.dossier.is_not(None)
    number = func.count()
    query = select(_documents.c.dossier, number).where(*which, *_of(seen)).group_by(_documents.c.dossier)
    with firm.database.read() as connection:
        return dict(connection.execute(query.order_by(number.desc())).tuples().all())


def filed(
    firm: Firm,
    *,
    seen: Seen = None,
    dossier: str | None = None,
    processed: bool | None = False,
    before: int | None = None,
    most: int = 50,
) -> list[Document]:
    """Return documents in dossiers, the newest first; ``before`` is the id of the last one of the page before.

    ``processed`` None returns those that are and those that are not.
    """
    which: list[ColumnElement[bool]] = [_ARRIVED, *_of(seen)]
    which.append(_documents.c.dossier.is_not(None) if dossier is None else _documents.c.dossier == dossier)
    if processed is not None:
        mark = _documents.c.processed
        which.append(mark.is_not(None) if processed else mark.is_(None))
    if before is not None:
        which.append(_documents.c.id < before)
    query = select(_documents).where(*which).order_by(_documents.c.id.desc()).limit(most)
    with firm.database.read() as connection:
        return [from_row(row) for row in connection.execute(query)]


def _of(seen: Seen) -> list[ColumnElement[bool]]:
    return [] if seen is None else [_documents.c.dossier.in_(sorted(seen))]
