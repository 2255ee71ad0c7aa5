"""The journal: one row for each step of each document, written in the step's own transaction; never changes a row."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select

from dossiers import tables
from dossiers.firm import Firm

_journal = tables.journal


class Step(enum.StrEnum):
    """What happened to a document."""

    DISCOVERED = "discovered"
    PLACING = "placing"
    STORED = "stored"
    REMOVED = "removed"
    VANISHED = "vanished"
    FAILED = "failed"
    ASSIGNING = "assigning"
    ASSIGNED = "assigned"


@dataclass(frozen=True)
class Note:
    """What a step has to say of one document; ``reason`` is a code."""

    document: int
    dossier: str | None
    reason: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Line:
    """One row: the moment (UTC), the machine and its epoch, the step, the document, its reason and hash."""

    at: datetime
    machine: str
    epoch: int
    step: Step
    document: int
    dossier: str | None
    reason: str | None
    sha256: str | None


def write(connection: Connection, firm: Firm, epoch: int, step: Step, notes: Iterable[Note]) -> None:
    """Add a row for each document of a step to the transaction that takes it."""
    head = {"at": firm.clock(), "machine": firm.machine, "epoch": epoch, "step": step.value}
    rows = [
        head | {"document": note.document, "dossier": note.dossier, "reason": note.reason, "sha256": note.sha256}
        for note in notes
    ]
    if rows:
        connection.execute(insert(_journal), rows)


def of_document(firm: Firm, document: int) -> list[Line]:
    """Return the whole life of a document, oldest first."""
    return _lines(firm, _journal.c.document == document)


def of_dossier(firm: Firm, dossier: str) -> list[Line]:
    """Return the steps of all documents of a dossier, oldest first."""
    return _lines(firm, _journal.c.dossier == dossier)


def latest(firm: Firm, most: int = 100) -> list[Line]:
    """Return the last steps of all documents, oldest first."""
    return _lines(firm, None, most)


def _lines(firm: Firm, which: ColumnElement[bool] | None, most: int | None = None) -> list[Line]:
    query = select(_journal).order_by(_journal.c.id.desc()).limit(most)
    if which is not None:
        query = query.where(which)
    with firm.database.read() as connection:
        rows = connection.execute(query).all()
    return [
        Line(row.at, row.machine, row.epoch, Step(row.step), row.document, row.dossier, row.reason, row.sha256)
        for row in reversed(rows)
    ]
