"""The documents that wait because no dossier is known for them, and their way into one; never guesses a dossier."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement, func, select

from dossiers import tables
from dossiers.delivery import Reached
from dossiers.designation import assigning
from dossiers.disk import Disk
from dossiers.document import Document, from_row
from dossiers.dossier import find_open
from dossiers.firm import Firm
from dossiers.journal import Step
from dossiers.moving import AT_REST, Moves, half_way

NO_DOSSIER = "waiting.no_dossier"
"""Reason of a document that was deposited outside any dossier's folder."""

UNKNOWN_DOSSIER = "waiting.unknown_dossier"
"""Reason of a document that was deposited for a dossier the firm does not know."""

ARCHIVED_DOSSIER = "waiting.archived_dossier"
"""Reason of a document that was deposited for a dossier that is archived."""

_documents = tables.documents

_IN_ORDER = _documents.c.dossier, _documents.c.id
"""Oldest first: none of them has a dossier. By the id alone, PostgreSQL would read all older documents before them."""


def waiting(firm: Firm, after: int = 0, most: int | None = None) -> list[Document]:
    """Return the documents that wait for a dossier, oldest first; ``final`` is where each can be looked at.

    ``after`` and ``most`` give a page: the documents behind the last one of the page before, and how many.
    """
    return _listed(firm, _documents.c.refused.is_(None), _documents.c.id > after, most=most)


def waiting_before(firm: Firm, document: int, most: int) -> list[Document]:
    """Return the last documents of the waiting list before one, oldest first."""
    which = *_at_rest_without_dossier(), _documents.c.refused.is_(None), _documents.c.id < document
    query = select(_documents).where(*which).order_by(*(column.desc() for column in _IN_ORDER)).limit(most)
    with firm.database.read() as connection:
        return [from_row(row) for row in reversed(connection.execute(query).all())]


def count(firm: Firm) -> int:
    """Return how many documents wait for a dossier."""
    query = (
        select(func.count()).select_from(_documents).where(*_at_rest_without_dossier(), _documents.c.refused.is_(None))
    )
    with firm.database.read() as connection:
        return connection.execute(query).scalar_one()


def refused(firm: Firm) -> list[Document]:
    """Return the documents that were refused, oldest first; each is kept, and ``final`` is where."""
    return _listed(firm, _documents.c.refused.is_not(None))


def assign(
    firm: Firm,
    document: int,
    number: str,
    *,
    by: str | None = None,
    although_infected: bool = False,
    disk: Disk | None = None,
    reached: Reached = lambda _: None,
) -> Document:
    """Move a waiting document into a dossier and return it; refused with a ``waiting.`` or ``dossier.`` code.

    One of which a virus scanner said something is refused with ``waiting.needs_a_word`` unless ``although_infected``.

    Of two people who assign one document at once, the second is refused with ``waiting.already_assigned``, which names
    the first. Assignments that a dead program left half-way are brought to their end before. ``designation.busy`` is
    temporary: someone else assigns at this moment.
    """
    dossier = find_open(firm, number)
    with _working(firm, disk, reached) as work:
        return work.carry_out(work.begin(document, dossier, by, although_infected))


def take_back(
    firm: Firm, document: int, *, by: str | None = None, disk: Disk | None = None, reached: Reached = lambda _: None
) -> Document:
    """Undo an assignment: move a document out of its dossier, back to the waiting list.

    Refused with ``waiting.in_no_dossier``, or with ``waiting.missing_file`` or a ``receipt.`` code when its file is no
    longer there as it was put.
    """
    with _working(firm, disk, reached) as work:
        return work.carry_out(work.begin_back(document, by))


def refuse(firm: Firm, document: int, by: str | None = None, remark: str | None = None) -> Document:
    """Take a document off the waiting list for good; it is kept where it is, and the journal says who refused it."""
    with _working(firm, None, lambda _: None) as work:
        return work.mark(document, Step.REFUSED, by, remark)


def readmit(firm: Firm, document: int, by: str | None = None) -> Document:
    """Put a refused document back on the waiting list; ``waiting.not_refused`` when it is not one."""
    with _working(firm, None, lambda _: None) as work:
        return work.mark(document, Step.READMITTED, by, None)


def resume(firm: Firm, disk: Disk | None = None) -> None:
    """Bring what a dead program left half-way to its end; ``designation.busy`` while others assign."""
    if half_way(firm):
        with assigning(firm) as lease:
            Moves(firm, lease, disk or Disk(), lambda _: None).resume()


@contextmanager
def _working(firm: Firm, disk: Disk | None, reached: Reached) -> Iterator[Moves]:
    """Hold the right to assign, with what others left half-way finished."""
    with assigning(firm) as lease:
        work = Moves(firm, lease, disk or Disk(), reached)
        work.resume()
        yield work


def _at_rest_without_dossier() -> tuple[ColumnElement[bool], ...]:
    return _documents.c.dossier.is_(None), _documents.c.state.in_([state.value for state in AT_REST])


def _listed(firm: Firm, *which: ColumnElement[bool], most: int | None = None) -> list[Document]:
    query = select(_documents).where(*_at_rest_without_dossier(), *which).limit(most)
    with firm.database.read() as connection:
        return [from_row(row) for row in connection.execute(query.order_by(*_IN_ORDER))]
