"""Where the documents of a sender went: into which dossiers, and how many; never guesses where one should go."""

from sqlalchemy import select

from dossiers import tables
from dossiers.document import Document, from_row
from dossiers.firm import Firm

LATEST = 200
"""So many of a sender's last documents are looked at: habits change."""

_documents = tables.documents


def history(firm: Firm, sender: str) -> dict[str, int]:
    """Return how many of the sender's last documents lie in which dossier; a sender is a login or an address."""
    if not sender:
        return {}
    query = (
        select(_documents.c.dossier)
        .where(_documents.c.sender == sender, _documents.c.dossier.is_not(None))
        .order_by(_documents.c.id.desc())
        .limit(LATEST)
    )
    found: dict[str, int] = {}
    with firm.database.read() as connection:
        for number in connection.scalars(query):
            found[number] = found.get(number, 0) + 1
    return found


def latest(firm: Firm, sender: str, most: int) -> list[Document]:
    """Return the last documents of a sender, wherever they are; the newest first."""
    query = select(_documents).where(_documents.c.sender == sender).order_by(_documents.c.id.desc()).limit(most)
    with firm.database.read() as connection:
        return [from_row(row) for row in connection.execute(query)]
