"""Marks the documents of dossiers that a person has processed, or has not after all; never touches their files."""

from sqlalchemy import select, update

from dossiers import journal, tables
from dossiers.designation import assigning
from dossiers.document import Document, State, from_row
from dossiers.firm import Firm
from dossiers.journal import Note, Step
from transfer.failures import PermanentFailure

_documents = tables.documents


def mark(firm: Firm, document: int, processed: bool = True, by: str | None = None) -> Document:
    """Keep and journal whether a document in a dossier is processed; asking twice changes nothing.

    Refused with ``filed.in_no_dossier``; ``designation.busy`` while someone assigns.
    """
    step = Step.PROCESSED if processed else Step.UNPROCESSED
    with assigning(firm) as lease, firm.database.write() as connection:
        lease.fence(connection)
        mine = _documents.c.id == document
        row = connection.execute(select(_documents).where(mine)).one_or_none()
        found = None if row is None else from_row(row)
        if found is None or found.dossier is None or found.state not in {State.STORED, State.REMOVED}:
            raise PermanentFailure("filed.in_no_dossier", document=document)
        if (found.processed is not None) != processed:
            moment = firm.clock() if processed else None
            connection.execute(update(_documents).where(mine).values(processed=moment))
            place = str(found.final)
            note = Note(found.id, found.dossier, None, found.sha256, found.size, by, place)
            journal.write(connection, firm, lease.epoch, step, [note])
        return from_row(connection.execute(select(_documents).where(mine)).one())
