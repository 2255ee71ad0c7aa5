"""The documents whose delivery fails: which they are, and a person's word to try one again; never delivers one."""

from sqlalchemy import select, update

from dossiers import journal, tables
from dossiers.designation import assigning
from dossiers.document import OPEN, Document, from_row
from dossiers.firm import Firm
from dossiers.journal import Note, Step
from transfer.failures import PermanentFailure

_documents = tables.documents
_open = _documents.c.state.in_([state.value for state in OPEN])


def every(firm: Firm) -> list[Document]:
    """Return the documents that failed and are still at their source, those that wait for a person first."""
    failing = select(_documents).where(_open, _documents.c.attempts > 0)
    with firm.database.read() as connection:
        rows = connection.execute(failing.order_by(_documents.c.attempts.desc(), _documents.c.id))
        return [from_row(row) for row in rows]


def retry(firm: Firm, document: int, by: str | None = None) -> Document:
    """Let a document that failed be tried again by the next round, as if for the first time.

    Refused with ``failing.not_failing``; ``designation.busy`` while someone assigns.
    """
    mine = _documents.c.id == document
    with assigning(firm) as lease, firm.database.write() as connection:
        lease.fence(connection)
        row = connection.execute(select(_documents).where(mine, _open, _documents.c.attempts > 0)).one_or_none()
        if row is None:
            raise PermanentFailure("failing.not_failing", document=document)
        found = from_row(row)
        connection.execute(update(_documents).where(mine).values(attempts=0, next_try=None))
        note = Note(found.id, found.dossier, found.failure, found.sha256, found.size, by)
        journal.write(connection, firm, lease.epoch, Step.RETRIED, [note])
    return found
