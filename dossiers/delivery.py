"""The only way into a dossier's folder or the waiting folder, giving receipts for it; never removes a source.

Bytes come in under a hidden name in the folder they go to, are synced, and get their final name by an exclusive link.
Each step is recorded before the next is taken, for up to 50 documents at once:

1. ``discovered`` is committed: the source, the path there, the folder;
2. the bytes are received into the part file, compared with what the source tells, and synced;
3. ``placing`` is committed with the chosen name, the size and the hash;
4. the part is linked to its final name, which never replaces another, and the folder is synced;
5. ``stored`` is committed, then the part's name goes: until then both names are one file;
6. the caller removes the source against the receipt, and ``removed`` is committed.

Whatever moment the program dies at, each state has one continuation:

============ ============================================ ===============================================
state        what may be there                            continuation
============ ============================================ ===============================================
discovered   nothing, or some of the part                 forget the part, receive again
placing      the part                                     link it
placing      part and final name, one file                it was linked: commit stored
placing      final name only, with the recorded bytes     it was renamed (no links there): commit stored
placing      neither                                      someone took the part: back to discovered
stored       perhaps the part's name                      forget that name; remove at the source if the source
                                                          still holds these bytes, else that is another document
removed      nothing at the source                        none
============ ============================================ ===============================================
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, Update, bindparam, func, insert, select, update

from dossiers import journal, tables
from dossiers.designation import Lease
from dossiers.disk import Disk, Part
from dossiers.document import ATTEMPTS, OPEN, Arrival, Document, State, from_row
from dossiers.firm import Firm
from dossiers.journal import Note, Step
from dossiers.pauses import Pauses
from dossiers.placing import FreeNames, link
from transfer.failures import Failure
from transfer.fingerprints import Fingerprint
from transfer.receipts import Receipt, confirm
from transfer.safe_names import twin_key

BATCH = 50
"""Most documents that share a commit and a sync."""

Reached = Callable[[str], None]
"""Told the name of each step as it is reached; tests pass one that ends the program there."""

_documents = tables.documents
_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(days=1)


@dataclass(frozen=True)
class Received:
    """A document whose bytes are in its part file, and what its source told of them."""

    document: Document
    part: Part
    measured: Fingerprint
    told: Fingerprint


@dataclass
class Outcome:
    """Documents that are stored, each with the receipt that lets its source go, and those that failed."""

    stored: list[tuple[Document, Receipt]] = field(default_factory=list)
    failed: list[tuple[Document, Failure]] = field(default_factory=list)


class Delivery:
    """Delivers documents for the holder of a lease; several threads may each deliver their own documents."""

    def __init__(self, firm: Firm, lease: Lease, disk: Disk | None = None, reached: Reached = lambda _: None) -> None:
        self._firm = firm
        self._lease = lease
        self._disk = disk or Disk()
        self._reached = reached
        self.pauses = Pauses(firm, lease)

    def open_documents(self, origin: str) -> list[Document]:
        """Return the documents of one kind of source that still want something done, oldest first."""
        query = select(_documents).where(
            _documents.c.state.in_([state.value for state in OPEN]),
            _documents.c.origin == origin,
        )
        with self._firm.database.read() as connection:
            return [from_row(row) for row in connection.execute(query.order_by(_documents.c.id))]

    def discover(self, arrivals: Sequence[Arrival], known: Mapping[str, Document]) -> list[Document]:
        """Commit step 1 and return a document for each arrival; ``known`` has those that are discovered, by path."""
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            fresh = [self._row(arrival) for arrival in arrivals if arrival.path not in known]
            ids = [known[arrival.path].id for arrival in arrivals if arrival.path in known]
            for arrival in arrivals:
                if arrival.path in known:
                    again = {**_where(arrival), "changed": self._firm.clock()}
                    connection.execute(
                        update(_documents).where(_documents.c.id == known[arrival.path].id).values(again)
                    )
            if fresh:
                ids += connection.scalars(insert(_documents).returning(_documents.c.id), fresh)
            rows = connection.execute(select(_documents).where(_documents.c.id.in_(ids)))
            found = {document.path: document for document in map(from_row, rows)}
            documents = [found[arrival.path] for arrival in arrivals]
            self._note(connection, Step.DISCOVERED, documents)
        self._reached("discovered")
        return documents

    def receive(self, document: Document, arrival: Arrival, fetch: Callable[[BinaryIO], Fingerprint]) -> Received:
        """Take step 2 without its sync: let ``fetch`` write the bytes, and compare them with what the source tells."""
        part = self._disk.create(document.part, arrival.to.anchor, self._lease.keep)
        told = Fingerprint(arrival.size, arrival.sha256)
        try:
            measured = fetch(part)
            confirm(document.path, measured, told, document.name)  # refused here, before anything is placed
        except BaseException:
            self._disk.drop(part)
            raise
        self._reached("downloaded")
        return Received(document, part, measured, told)

    def store(self, received: Sequence[Received]) -> Outcome:
        """Sync the parts and take steps 3 to 5; what one folder refuses keeps no other document back."""
        unsynced = self._disk.sync([one.part for one in received])
        outcome = Outcome(
            failed=[(one.document, unsynced[one.part.path]) for one in received if one.part.path in unsynced]
        )
        synced = [one for one in received if one.part.path not in unsynced]
        measured = [replace(one.document, size=one.measured.size, sha256=one.measured.sha256) for one in synced]
        linked = []
        for document in self._choose(measured, outcome):
            try:
                linked.append(self._link(document))
            except Failure as failure:
                outcome.failed.append((document, failure))
        told = {one.document.id: one.told for one in synced}
        for document in self._commit_stored(linked, outcome):
            receipt = confirm(document.path, document.fingerprint, told[document.id], str(document.final))
            outcome.stored.append((document, receipt))
        return outcome

    def receipt(self, document: Document, source: Fingerprint) -> Receipt:
        """Make the receipt of a document that was stored before a restart, if its source still holds these bytes."""
        if document.state is not State.STORED:
            raise ValueError("only a stored document has a receipt")
        return confirm(document.path, source, document.fingerprint, str(document.final))

    def removed(self, documents: Sequence[Document]) -> None:
        """Commit step 6: the sources of these documents are gone."""
        self._commit(documents, State.REMOVED, Step.REMOVED)
        self._reached("removed")

    def vanished(self, documents: Sequence[Document]) -> None:
        """Record that sources of discovered documents went before their bytes were received."""
        self._commit(documents, State.VANISHED, Step.VANISHED)

    def failed(self, failed: Sequence[tuple[Document, Failure]]) -> None:
        """Record why documents could not be delivered; the next attempt is due after 5, 15, 45 minutes, … a day.

        After ten attempts a document waits for a person. One whose folder cannot be reached has not failed itself: it
        is due as soon as its folder is there again.
        """
        rows, told = [], []
        for document, failure in failed:
            row: dict[str, object] = {"key": document.id, "failure": failure.code}
            if not self.pauses.meet(document, failure):
                attempts = document.attempts + 1
                next_try = self._firm.clock() + _pause(document.attempts) if attempts < ATTEMPTS else None
                row |= {"attempts": attempts, "next_try": next_try}
            elif document.failure != failure.code:
                row |= {"attempts": document.attempts, "next_try": None}
            else:  # told already
                continue
            rows.append(row)
            told.append((document, failure))
        if rows:
            with self._firm.database.write() as connection:
                self._lease.fence(connection)
                connection.execute(_change("failure", "attempts", "next_try"), rows)
                self._note(connection, Step.FAILED, [document for document, _ in told], [why.code for _, why in told])
                given_up = [row["key"] for row in rows if row["attempts"] == ATTEMPTS]
                self._note(connection, Step.GAVE_UP, [document for document, _ in told if document.id in given_up])

    def resume(self, documents: Sequence[Document]) -> None:
        """Bring open documents to where a round can go on with them, as the table above says."""
        outcome = Outcome()
        for document in documents:
            try:
                if document.state is State.PLACING:
                    self._finish_placing(document, outcome)
                else:
                    self._disk.discard(document.part)
            except Failure as failure:
                if document.state is not State.DISCOVERED:  # whose part goes anyway when it is received again
                    outcome.failed.append((document, failure))
        self.failed(outcome.failed)

    def _finish_placing(self, document: Document, outcome: Outcome) -> None:
        if self._disk.same_file(document.part, document.final) or self._disk.holds(document.part, document.fingerprint):
            document = self._link(document)
        elif not self._disk.holds(document.final, document.fingerprint):
            self._disk.discard(document.part)
            self._commit([replace(document, placed=None)], State.DISCOVERED, Step.DISCOVERED)
            return
        self._commit_stored([document], outcome)

    def _choose(self, documents: Sequence[Document], outcome: Outcome) -> list[Document]:
        """Commit step 3 for the documents whose folder can be read."""
        placing = []
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            free = FreeNames(connection, self._disk, (document.folder for document in documents))
            for document in documents:
                try:
                    placing.append(replace(document, placed=free.take(document.folder, document.name)))
                except Failure as failure:
                    outcome.failed.append((document, failure))
            self._record(connection, placing, State.PLACING, Step.PLACING)
        self._reached("placing")
        return placing

    def _link(self, document: Document) -> Document:
        """Take step 4 but for the folder's sync; the name may become another if this one was taken meanwhile."""

        def choose_again() -> Path:
            nonlocal document
            outcome = Outcome()
            chosen = self._choose([document], outcome)
            if not chosen:
                raise outcome.failed[0][1]
            document = chosen[0]
            return document.final

        link(self._disk, document.part, document.final, choose_again)
        self._reached("linked")
        return document

    def _commit_stored(self, linked: Sequence[Document], outcome: Outcome) -> list[Document]:
        """Sync the folders of linked documents, take step 5, and return the documents that are through it."""
        unsynced: dict[Path, Failure] = {}
        for folder in {document.folder for document in linked}:
            try:
                self._disk.sync_folder(folder)
            except Failure as failure:
                unsynced[folder] = failure
        outcome.failed += [(one, unsynced[one.folder]) for one in linked if one.folder in unsynced]
        stored = [document for document in linked if document.folder not in unsynced]
        if stored:
            with self._firm.database.write() as connection:
                self._lease.fence(connection)
                self._record(connection, stored, State.STORED, Step.STORED)
                self._flag_twins(connection, stored)
        self._reached("stored")
        finished = []
        for document in stored:
            try:
                self._disk.discard(document.part)
                finished.append(document)
            except Failure as failure:  # the source waits until the part's name is gone
                outcome.failed.append((document, failure))
            self._reached("unlinked")
        return finished

    def _commit(self, documents: Sequence[Document], state: State, step: Step) -> None:
        if documents:
            with self._firm.database.write() as connection:
                self._lease.fence(connection)
                self._record(connection, documents, state, step)

    def _record(self, connection: Connection, documents: Sequence[Document], state: State, step: Step) -> None:
        rows = [
            {
                "key": document.id,
                "state": state.value,
                "changed": self._firm.clock(),
                "placed": document.placed,
                "placed_key": twin_key(document.placed) if document.placed else None,
                "size": document.size,
                "sha256": document.sha256,
                "failure": None,
            }
            for document in documents
        ]
        if rows:
            columns = ["state", "changed", "failure"]
            if state not in {State.REMOVED, State.VANISHED}:  # by then someone may have assigned it
                columns += ["placed", "placed_key", "size", "sha256"]
            connection.execute(_change(*columns), [{key: row[key] for key in ("key", *columns)} for row in rows])
            self._note(connection, step, documents)

    def _note(
        self,
        connection: Connection,
        step: Step,
        documents: Sequence[Document],
        reasons: Sequence[str | None] | None = None,
    ) -> None:
        why = reasons or [document.reason for document in documents]
        notes = [_note(step, one, reason) for one, reason in zip(documents, why, strict=True)]
        journal.write(connection, self._firm, self._lease.epoch, step, notes)

    def _flag_twins(self, connection: Connection, stored: Sequence[Document]) -> None:
        """Link each document to the first with the same bytes, whatever way that came, and say so in the journal."""
        held = select(_documents.c.sha256, func.min(_documents.c.id)).where(
            _documents.c.sha256.in_({document.sha256 for document in stored}),
            _documents.c.id.not_in([document.id for document in stored]),
            _documents.c.state.in_([State.STORED.value, State.REMOVED.value]),
        )
        found = connection.execute(held.group_by(_documents.c.sha256)).all()
        first = {row[0]: row[1] for row in found}
        twins = [document for document in stored if first.setdefault(document.sha256, document.id) != document.id]
        if twins:
            rows = [{"key": document.id, "duplicate_of": first[document.sha256]} for document in twins]
            connection.execute(_change("duplicate_of"), rows)
            notes = [replace(_note(Step.DUPLICATE, one, None), detail=str(first[one.sha256])) for one in twins]
            journal.write(connection, self._firm, self._lease.epoch, Step.DUPLICATE, notes)

    def _row(self, arrival: Arrival) -> dict[str, Any]:
        moment = self._firm.clock()
        start = {"state": State.DISCOVERED.value, "found": moment, "changed": moment, "attempts": 0}
        return {"origin": arrival.origin, "source": arrival.source, **start, **_where(arrival)}


def _where(arrival: Arrival) -> dict[str, Any]:
    """Return the columns that say where a document is and goes: they may change while it is only discovered."""
    return {
        "path": arrival.path,
        "source_size": arrival.size,
        "source_modified": arrival.modified,
        "source_sha256": arrival.sha256,
        "name": arrival.name,
        "folder": str(arrival.to.folder),
        "dossier": arrival.to.dossier,
        "reason": arrival.to.reason,
        "kind": arrival.kind,
        "sender": arrival.sender,
        "peer": arrival.peer,
        "source_receipt": arrival.receipt,
        "threat": arrival.threat,
    }


def _note(step: Step, document: Document, reason: str | None) -> Note:
    """Return what the journal says of a step: at the source who sent it and from where, in its folder the place."""
    detail, actor, place = None, None, None
    if step in {Step.DISCOVERED, Step.REMOVED, Step.VANISHED}:
        place = f"{document.source} {document.path}"
    elif document.placed is not None:
        place = str(document.final)
    if step is Step.DISCOVERED:
        actor = document.sender
        told = {"peer": document.peer, "receipt": document.source_receipt}
        detail = " ".join(f"{key}={value}" for key, value in told.items() if value) or None
    size = document.source_size if document.size is None else document.size
    return Note(document.id, document.dossier, reason, document.sha256, size, actor, place, detail)


def _pause(attempts: int) -> timedelta:
    grown: timedelta = _PAUSE * 3 ** min(attempts, 9)
    return min(grown, _LONGEST_PAUSE)


def _change(*columns: str) -> Update:
    change = update(_documents).where(_documents.c.id == bindparam("key"))
    return change.values(**{column: bindparam(column) for column in columns})
