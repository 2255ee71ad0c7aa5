"""The documents that wait because no dossier is known for them, and their way into one; never guesses a dossier.

An assignment copies the document from the waiting folder into the dossier's folder and only then removes it there, by
the steps of :mod:`dossiers.delivery`: the row of the assignment is committed first, and whatever moment the program
dies at, each of its states has one continuation:

========== ==========================================================================================
discovered forget the part, copy again
placing    link the part (it may have been linked already), commit stored
stored     the document is in the dossier: remove it from the waiting folder, then the assignment ends
========== ==========================================================================================
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, delete, insert, select, update

from dossiers import journal, tables
from dossiers.delivery import Reached
from dossiers.designation import Lease, assigning
from dossiers.disk import Disk, failures
from dossiers.document import Destination, Document, State, from_row, part_name
from dossiers.dossier import Dossier, find, find_open
from dossiers.firm import Firm
from dossiers.journal import Note, Step
from dossiers.placing import FreeNames, link
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.fingerprints import Measure, blocks, measure
from transfer.receipts import Receipt, confirm
from transfer.safe_names import twin_key

NO_DOSSIER = "waiting.no_dossier"
"""Reason of a document that was deposited outside any dossier's folder."""

UNKNOWN_DOSSIER = "waiting.unknown_dossier"
"""Reason of a document that was deposited for a dossier the firm does not know."""

ARCHIVED_DOSSIER = "waiting.archived_dossier"
"""Reason of a document that was deposited for a dossier that is archived."""

_documents = tables.documents
_assignments = tables.assignments


@dataclass(frozen=True)
class _Assignment:
    document: int
    dossier: str
    source: Path
    folder: Path
    placed: str | None
    state: State

    @property
    def part(self) -> Path:
        return part_name(self.folder, self.document)

    @property
    def final(self) -> Path:
        return self.folder / (self.placed or "")


def waiting(firm: Firm) -> list[Document]:
    """Return the documents that wait for a dossier, oldest first; ``final`` is where each can be looked at."""
    query = select(_documents).where(
        _documents.c.dossier.is_(None), _documents.c.state.in_([State.STORED.value, State.REMOVED.value])
    )
    with firm.database.read() as connection:
        return [from_row(row) for row in connection.execute(query.order_by(_documents.c.id))]


def assign(
    firm: Firm, document: int, number: str, disk: Disk | None = None, reached: Reached = lambda _: None
) -> Document:
    """Move a waiting document into a dossier and return it; refused with a ``waiting.`` or ``dossier.`` code.

    Assignments that a dead program left half-way are brought to their end first. ``designation.busy`` is temporary:
    someone else assigns at this moment.
    """
    dossier = find_open(firm, number)
    with assigning(firm) as lease:
        work = _Work(firm, lease, disk or Disk(), reached)
        work.resume()
        return work.carry_out(work.begin(document, dossier))


def resume(firm: Firm, disk: Disk | None = None) -> None:
    """Bring what a dead program left half-way to its end; ``designation.busy`` while others assign."""
    with firm.database.read() as connection:
        left = connection.execute(select(_assignments.c.document)).first()
    if left is not None:
        with assigning(firm) as lease:
            _Work(firm, lease, disk or Disk(), lambda _: None).resume()


class _Work:
    """Carries out assignments for the holder of the lease."""

    def __init__(self, firm: Firm, lease: Lease, disk: Disk, reached: Reached) -> None:
        self._firm = firm
        self._lease = lease
        self._disk = disk
        self._reached = reached

    def begin(self, document: int, dossier: Dossier) -> _Assignment:
        """Commit that a waiting document is on its way to a dossier."""
        root, moment = self._firm.root, self._firm.clock()
        with self._write() as connection:
            row = connection.execute(select(_documents).where(_documents.c.id == document)).one_or_none()
            if row is None:
                raise PermanentFailure("waiting.unknown_document", document=document)
            found = from_row(row)
            if found.dossier is not None or found.state not in {State.STORED, State.REMOVED}:
                raise PermanentFailure("waiting.not_waiting", document=document)
            to = Destination.in_dossier(dossier, root, moment, found.kind)
            values = {"document": document, "dossier": to.dossier, "folder": str(to.folder)}
            values |= {"source": str(found.final), "state": State.DISCOVERED.value}
            connection.execute(insert(_assignments).values(values))
            self._note(connection, Step.ASSIGNING, found, to.dossier)
        self._reached("assigning")
        return self._assignment(document)

    def resume(self) -> None:
        """Carry out what is half-way; one that fails keeps no other back."""
        with self._firm.database.read() as connection:
            left = connection.scalars(select(_assignments.c.document)).all()
        for document in left:
            with contextlib.suppress(Failure):  # it stays as it is, and waits in the list where it failed early
                self.carry_out(self._assignment(document))

    def carry_out(self, assignment: _Assignment) -> Document:
        """Take an assignment from whatever state it is in to its end, and return the document in its dossier."""
        document = self._document(assignment)
        if assignment.state is State.PLACING and not self._is_there(assignment, document):
            assignment = self._changed(assignment, State.DISCOVERED)
        if assignment.state is State.DISCOVERED:
            assignment = self._copied(assignment, document)
        if assignment.state is State.PLACING:
            assignment = self._stored(assignment, document)
        return self._left_the_list(assignment)

    def _copied(self, assignment: _Assignment, document: Document) -> _Assignment:
        """Copy the waiting file into a part and commit its name; on failure the document goes on waiting."""
        try:
            anchor = find(self._firm, assignment.dossier).anchor(self._firm.root)
            part = self._disk.create(assignment.part, anchor, self._lease.keep)
            try:
                measured = Measure()
                with self._opened(assignment.source) as source:
                    for block in blocks(source):
                        part.write(block)
                        measured.add(block)
                confirm(str(assignment.source), measured.fingerprint(), document.fingerprint, document.name)
            except BaseException:
                self._disk.drop(part)
                raise
            for failure in self._disk.sync([part]).values():
                raise failure
            self._reached("copied")
            return self._chosen(assignment, document)
        except Failure as failure:
            with self._write() as connection:  # refused if the lease is lost: then it is another's to carry out
                connection.execute(delete(_assignments).where(_assignments.c.document == assignment.document))
                self._note(connection, Step.FAILED, document, None, failure.code)
            raise

    def _chosen(self, assignment: _Assignment, document: Document) -> _Assignment:
        with self._write() as connection:
            placed = FreeNames(connection, self._disk).take(assignment.folder, document.name)
            values = {"placed": placed, "placed_key": twin_key(placed), "state": State.PLACING.value}
            mine = _assignments.c.document == assignment.document
            connection.execute(update(_assignments).where(mine).values(values))
            self._note(connection, Step.PLACING, document, assignment.dossier)
        self._reached("placing")
        return self._assignment(assignment.document)

    def _is_there(self, assignment: _Assignment, document: Document) -> bool:
        """Tell whether the bytes that were copied are still there, under either name."""
        if self._disk.same_file(assignment.part, assignment.final):
            return True
        return any(self._disk.holds(path, document.fingerprint) for path in (assignment.part, assignment.final))

    def _stored(self, assignment: _Assignment, document: Document) -> _Assignment:
        def choose_again() -> Path:
            nonlocal assignment
            assignment = self._chosen(assignment, document)
            return assignment.final

        if self._disk.holds(assignment.part, document.fingerprint):
            link(self._disk, assignment.part, assignment.final, choose_again)
        self._reached("linked")
        self._disk.sync_folder(assignment.folder)
        with self._write() as connection:
            values: dict[str, object] = {"dossier": assignment.dossier, "placed": assignment.placed}
            values |= {"folder": str(assignment.folder), "placed_key": twin_key(assignment.final.name)}
            values |= {"reason": None, "changed": self._firm.clock()}
            connection.execute(update(_documents).where(_documents.c.id == assignment.document).values(values))
            mine = _assignments.c.document == assignment.document
            connection.execute(update(_assignments).where(mine).values(state=State.STORED.value))
            self._note(connection, Step.ASSIGNED, document, assignment.dossier)
        self._reached("stored")
        self._disk.discard(assignment.part)
        return self._assignment(assignment.document)

    def _left_the_list(self, assignment: _Assignment) -> Document:
        """Remove the file from the waiting folder, against a receipt for its present bytes, and end the assignment."""
        document = self._document(assignment)
        self._disk.discard(assignment.part)
        if assignment.source.exists():
            with self._opened(assignment.source) as source:
                present = measure(source)
            remove(confirm(str(assignment.source), present, document.fingerprint, str(document.final)))
            self._disk.sync_folder(assignment.source.parent)
        self._reached("removed")
        with self._write() as connection:
            connection.execute(delete(_assignments).where(_assignments.c.document == assignment.document))
        return document

    def _changed(self, assignment: _Assignment, state: State) -> _Assignment:
        with self._write() as connection:
            mine = _assignments.c.document == assignment.document
            connection.execute(update(_assignments).where(mine).values(state=state.value))
        return self._assignment(assignment.document)

    @contextlib.contextmanager
    def _opened(self, source: Path) -> Iterator[BinaryIO]:
        try:
            with failures(source.parent), source.open("rb") as opened:
                yield opened
        except TemporaryFailure as failure:
            if isinstance(failure.__cause__, FileNotFoundError):
                raise PermanentFailure("waiting.missing_file", file=source.name) from None
            raise

    @contextlib.contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            yield connection

    def _assignment(self, document: int) -> _Assignment:
        with self._firm.database.read() as connection:
            row = connection.execute(select(_assignments).where(_assignments.c.document == document)).one()
        return _Assignment(row.document, row.dossier, Path(row.source), Path(row.folder), row.placed, State(row.state))

    def _document(self, assignment: _Assignment) -> Document:
        with self._firm.database.read() as connection:
            query = select(_documents).where(_documents.c.id == assignment.document)
            return from_row(connection.execute(query).one())

    def _note(
        self, connection: Connection, step: Step, document: Document, dossier: str | None, reason: str | None = None
    ) -> None:
        note = Note(document.id, dossier, reason, document.sha256)
        journal.write(connection, self._firm, self._lease.epoch, step, [note])


def remove(receipt: Receipt) -> None:
    """Remove a file from the waiting folder against the receipt for its bytes in a dossier."""
    source = Path(receipt.source)
    with failures(source.parent):
        source.unlink(missing_ok=True)
