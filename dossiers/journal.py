"""The journal: one row for each step of each document, written in the step's own transaction; never changes a row."""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select

from dossiers import tables
from dossiers.document import Document, from_row
from dossiers.firm import Firm
from transfer.failures import PermanentFailure

_journal = tables.journal
_rows = tables.documents


class Step(enum.StrEnum):
    """What happened to a document."""

    DISCOVERED = "discovered"
    PLACING = "placing"
    STORED = "stored"
    REMOVED = "removed"
    VANISHED = "vanished"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    RETRIED = "retried"
    ASSIGNING = "assigning"
    ASSIGNED = "assigned"
    DUPLICATE = "duplicate"
    PROCESSED = "processed"
    UNPROCESSED = "unprocessed"
    REFUSED = "refused"
    READMITTED = "readmitted"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True)
class Note:
    """What a step has to say of one document.

    ``reason`` is a code; ``actor`` the sender or the person; ``place`` where the bytes are after the step, or were
    found.
    """

    document: int
    dossier: str | None
    reason: str | None = None
    sha256: str | None = None
    size: int | None = None
    actor: str | None = None
    place: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Line(Note):
    """One row: also the moment (UTC), the machine and its epoch, and the step."""

    at: datetime = field(kw_only=True)
    machine: str = field(kw_only=True)
    epoch: int = field(kw_only=True)
    step: Step = field(kw_only=True)


def write(connection: Connection, firm: Firm, epoch: int, step: Step, notes: Iterable[Note]) -> None:
    """Add a row for each document of a step to the transaction that takes it."""
    head = {"at": firm.clock(), "machine": firm.machine, "epoch": epoch, "step": step.value}
    rows = [head | vars(note) for note in notes]
    if rows:
        connection.execute(insert(_journal), rows)


def of_document(firm: Firm, document: int) -> list[Line]:
    """Return the whole life of a document, oldest first."""
    return _lines(firm, _journal.c.document == document)


def of_dossier(firm: Firm, dossier: str) -> list[Line]:
    """Return the steps of all documents of a dossier, oldest first."""
    return _lines(firm, _journal.c.dossier == dossier)


def since(firm: Firm, moment: datetime) -> list[Line]:
    """Return the steps of all documents from a moment on, oldest first."""
    return _lines(firm, _journal.c.at >= moment)


def latest(firm: Firm, most: int = 100) -> list[Line]:
    """Return the last steps of all documents, oldest first."""
    return _lines(firm, None, most)


def last(connection: Connection, document: int, step: Step) -> Line | None:
    """Return when a document last took a step, within a transaction; None when it never did."""
    which = _journal.c.document == document, _journal.c.step == step.value
    row = connection.execute(select(_journal).where(*which).order_by(_journal.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _line(row)


def document(firm: Firm, number: int) -> Document:
    """Return a document by its number, or refuse it with ``journal.unknown_document``."""
    found = _documents(firm, _rows.c.id == number)
    if not found:
        raise PermanentFailure("journal.unknown_document", document=number)
    return found[0]


def with_hash(firm: Firm, sha256: str) -> list[Document]:
    """Return the documents whose SHA-256 is, or begins with, at least eight hexadecimal digits; oldest first.

    Refused with ``journal.bad_hash``.
    """
    digits = sha256.strip().lower()
    if not re.fullmatch("[0-9a-f]{8,64}", digits):
        raise PermanentFailure("journal.bad_hash", hash=sha256[:80])
    return _documents(firm, _rows.c.sha256.between(digits, digits.ljust(64, "f")))


def twins(firm: Firm, document: Document) -> list[Document]:
    """Return the other documents with the same bytes, oldest first."""
    if document.sha256 is None:
        return []
    return _documents(firm, _rows.c.sha256 == document.sha256, _rows.c.id != document.id)


def _documents(firm: Firm, *which: ColumnElement[bool]) -> list[Document]:
    with firm.database.read() as connection:
        return [from_row(row) for row in connection.execute(select(_rows).where(*which).order_by(_rows.c.id))]


def _lines(firm: Firm, which: ColumnElement[bool] | None, most: int | None = None) -> list[Line]:
    query = select(_journal).order_by(_journal.c.id.desc()).limit(most)
    if which is not None:
        query = query.where(which)
    with firm.database.read() as connection:
        rows = connection.execute(query).all()
    return [_line(row) for row in reversed(rows)]


def _line(row: Row[Any]) -> Line:
    values = {each.name: getattr(row, each.name) for each in fields(Line)}
    return Line(**values | {"step": Step(row.step)})
