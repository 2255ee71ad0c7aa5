"""Moves a document between the waiting folder and a dossier's, durably and exactly once; never decides on a move.

It is copied into the folder it goes to and only then removed from the one it leaves, by the steps of
:mod:`dossiers.delivery`: the row of the assignment is committed first, and whatever moment the program dies at, each of
its states has one continuation:

========== ==========================================================================================
discovered forget the part, copy again
placing    link the part (it may have been linked already), commit stored
stored     the document is where it goes: remove it from the folder it leaves, then the assignment ends
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
from dossiers.designation import Lease
from dossiers.disk import Disk, failures
from dossiers.document import Destination, Document, State, from_row, part_name
from dossiers.dossier import Dossier, find
from dossiers.firm import Firm
from dossiers.journal import Note, Step
from dossiers.placing import FreeNames, link
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.fingerprints import Measure, blocks, measure
from transfer.receipts import Receipt, confirm
from transfer.safe_names import twin_key

TAKEN_BACK = "waiting.taken_back"
"""Reason of a document that a person took back out of a dossier."""

AT_REST = frozenset({State.STORED, State.REMOVED})
"""A document in one of these states is whole in its folder, and may be moved."""

_documents = tables.documents
_assignments = tables.assignments


@dataclass(frozen=True)
class Assignment:
    """A document on its way into a dossier, or for no dossier back to the waiting folder."""

    document: int
    dossier: str | None
    source: Path
    folder: Path
    placed: str | None
    state: State
    actor: str | None

    @property
    def part(self) -> Path:
        """The hidden name of its copy until that is placed."""
        return part_name(self.folder, self.document)

    @property
    def final(self) -> Path:
        """The place it has, or is getting, where it goes."""
        return self.folder / (self.placed or "")


def half_way(firm: Firm) -> bool:
    """Tell whether a dead program left an assignment half-way."""
    with firm.database.read() as connection:
        return connection.execute(select(_assignments.c.document)).first() is not None


class Moves:
    """Carries out assignments for the holder of the lease."""

    def __init__(self, firm: Firm, lease: Lease, disk: Disk, reached: Reached) -> None:
        self._firm = firm
        self._lease = lease
        self._disk = disk
        self._reached = reached

    def begin(self, document: int, dossier: Dossier, by: str | None, although_infected: bool = False) -> Assignment:
        """Commit that a waiting document is on its way to a dossier; one with a threat needs a word."""
        root, moment = self._firm.root, self._firm.clock()
        with self._write() as connection:
            found = self._waiting(connection, document)
            if found.threat is not None and not although_infected:
                raise PermanentFailure("waiting.needs_a_word", document=document, threat=found.threat)
            to = Destination.in_dossier(dossier, root, moment, found.kind)
            self._insert(connection, found, to, by)
            self._note(connection, Step.ASSIGNING, found, to.dossier, by)
        self._reached("assigning")
        return self._assignment(document)

    def begin_back(self, document: int, by: str | None) -> Assignment:
        """Commit that a document in a dossier is on its way back to the waiting folder."""
        with self._write() as connection:
            found = self._known(connection, document)
            if found.dossier is None or found.state not in AT_REST:
                raise PermanentFailure("waiting.in_no_dossier", document=document)
            folder = self._firm.waiting_folder if found.threat is None else self._firm.quarantine_folder
            self._insert(connection, found, Destination.waiting(folder, TAKEN_BACK), by)
            self._note(connection, Step.UNDOING, found, found.dossier, by)
        self._reached("assigning")
        return self._assignment(document)

    def mark(self, document: int, step: Step, by: str | None, remark: str | None) -> Document:
        """Commit that a waiting document is refused, or no longer is."""
        with self._write() as connection:
            if step is Step.REFUSED:
                found = self._waiting(connection, document)
            else:
                found = self._known(connection, document)
                if found.refused is None:
                    raise PermanentFailure("waiting.not_refused", document=document)
            moment = self._firm.clock()
            values = {"refused": moment if step is Step.REFUSED else None, "changed": moment}
            connection.execute(update(_documents).where(_documents.c.id == document).values(values))
            self._note(connection, step, found, None, by, detail=remark)
            return self._known(connection, document)

    def _insert(self, connection: Connection, found: Document, to: Destination, by: str | None) -> None:
        values = {"document": found.id, "dossier": to.dossier, "folder": str(to.folder), "actor": by}
        values |= {"source": str(found.final), "state": State.DISCOVERED.value}
        connection.execute(insert(_assignments).values(values))

    def _known(self, connection: Connection, document: int) -> Document:
        row = connection.execute(select(_documents).where(_documents.c.id == document)).one_or_none()
        if row is None:
            raise PermanentFailure("waiting.unknown_document", document=document)
        return from_row(row)

    def _waiting(self, connection: Connection, document: int) -> Document:
        """Return a document that waits, or say why this one does not."""
        found = self._known(connection, document)
        if found.state not in AT_REST:
            raise PermanentFailure("waiting.not_waiting", document=document)
        if found.refused is not None:
            raise PermanentFailure("waiting.is_refused", document=document)
        if found.dossier is not None:
            who = journal.last(connection, document, Step.ASSIGNING)
            if who is None:
                raise PermanentFailure("waiting.not_waiting", document=document)
            moment = f"{who.at.astimezone():%Y-%m-%d %H:%M:%S}"
            values = {"dossier": found.dossier, "by": who.actor or who.machine, "moment": moment}
            raise PermanentFailure("waiting.already_assigned", document=document, **values)
        return found

    def resume(self) -> None:
        """Carry out what is half-way; one that fails keeps no other back."""
        with self._firm.database.read() as connection:
            left = connection.scalars(select(_assignments.c.document)).all()
        for document in left:
            with contextlib.suppress(Failure):  # it stays as it is, and waits in the list where it failed early
                self.carry_out(self._assignment(document))

    def carry_out(self, assignment: Assignment) -> Document:
        """Take an assignment from whatever state it is in to its end, and return the document in its dossier."""
        document = self._document(assignment)
        if assignment.state is State.PLACING and not self._is_there(assignment, document):
            assignment = self._changed(assignment, State.DISCOVERED)
        if assignment.state is State.DISCOVERED:
            assignment = self._copied(assignment, document)
        if assignment.state is State.PLACING:
            assignment = self._stored(assignment, document)
        return self._left_the_list(assignment)

    def _copied(self, assignment: Assignment, document: Document) -> Assignment:
        """Copy the waiting file into a part and commit its name; on failure the document goes on waiting."""
        try:
            part = self._disk.create(assignment.part, self._anchor(assignment), self._lease.keep)
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
                self._note(connection, Step.FAILED, document, document.dossier, assignment.actor, reason=failure.code)
            raise

    def _chosen(self, assignment: Assignment, document: Document) -> Assignment:
        with self._write() as connection:
            placed = FreeNames(connection, self._disk, [assignment.folder]).take(assignment.folder, document.name)
            values = {"placed": placed, "placed_key": twin_key(placed), "state": State.PLACING.value}
            mine = _assignments.c.document == assignment.document
            connection.execute(update(_assignments).where(mine).values(values))
            self._note(connection, Step.PLACING, document, assignment.dossier, assignment.actor)
        self._reached("placing")
        return self._assignment(assignment.document)

    def _is_there(self, assignment: Assignment, document: Document) -> bool:
        """Tell whether the bytes that were copied are still there, under either name."""
        if self._disk.same_file(assignment.part, assignment.final):
            return True
        return any(self._disk.holds(path, document.fingerprint) for path in (assignment.part, assignment.final))

    def _stored(self, assignment: Assignment, document: Document) -> Assignment:
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
            reason = TAKEN_BACK if assignment.dossier is None else None
            values |= {"reason": reason, "changed": self._firm.clock(), "processed": None}
            connection.execute(update(_documents).where(_documents.c.id == assignment.document).values(values))
            mine = _assignments.c.document == assignment.document
            connection.execute(update(_assignments).where(mine).values(state=State.STORED.value))
            step = Step.UNDONE if assignment.dossier is None else Step.ASSIGNED
            place = str(assignment.final)
            self._note(
                connection, step, document, assignment.dossier or document.dossier, assignment.actor, place=place
            )
        self._reached("stored")
        self._disk.discard(assignment.part)
        return self._assignment(assignment.document)

    def _left_the_list(self, assignment: Assignment) -> Document:
        """Remove the file from the folder it leaves, against a receipt for its present bytes; the assignment ends."""
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

    def _changed(self, assignment: Assignment, state: State) -> Assignment:
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

    def _assignment(self, document: int) -> Assignment:
        with self._firm.database.read() as connection:
            row = connection.execute(select(_assignments).where(_assignments.c.document == document)).one()
        source, folder = Path(row.source), Path(row.folder)
        return Assignment(row.document, row.dossier, source, folder, row.placed, State(row.state), row.actor)

    def _document(self, assignment: Assignment) -> Document:
        with self._firm.database.read() as connection:
            query = select(_documents).where(_documents.c.id == assignment.document)
            return from_row(connection.execute(query).one())

    def _anchor(self, assignment: Assignment) -> Path:
        if assignment.dossier is None:
            return assignment.folder
        return find(self._firm, assignment.dossier).anchor(self._firm.root)

    def _note(
        self,
        connection: Connection,
        step: Step,
        document: Document,
        dossier: str | None,
        by: str | None,
        *,
        detail: str | None = None,
        reason: str | None = None,
        place: str | None = None,
    ) -> None:
        note = Note(document.id, dossier, reason, document.sha256, document.size, by, place, detail)
        journal.write(connection, self._firm, self._lease.epoch, step, [note])


def remove(receipt: Receipt) -> None:
    """Remove a file from the folder it leaves against the receipt for its bytes in the folder it went to."""
    source = Path(receipt.source)
    with failures(source.parent):
        source.unlink(missing_ok=True)
