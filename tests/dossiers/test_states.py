"""The journal's states under any order of deeds and deaths: Hypothesis looks for one that loses or doubles a file."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from firm_rooms import Clock, DiedError, add_dossiers, contents, desk, dies_at, folder, opened, writing
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dossiers import filed, journal, waiting_list
from dossiers.document import Document, State
from dossiers.journal import Step
from transfer.failures import Failure

DELIVERING = ("discovered", "downloaded", "placing", "linked", "stored", "unlinked", "removed", "")
MOVING = ("assigning", "copied", "placing", "linked", "stored", "removed", "")

AFTER: dict[Step | None, set[Step]] = {
    None: {Step.DISCOVERED},
    Step.DISCOVERED: {Step.DISCOVERED, Step.PLACING, Step.VANISHED},
    Step.PLACING: {Step.PLACING, Step.STORED, Step.DISCOVERED, Step.ASSIGNED, Step.UNDONE},
    Step.STORED: {Step.DUPLICATE, Step.ASSIGNING, Step.UNDOING, Step.PROCESSED, Step.REFUSED},
    Step.DUPLICATE: {Step.ASSIGNING, Step.UNDOING, Step.PROCESSED, Step.REFUSED},
    Step.VANISHED: set(),
    Step.ASSIGNING: {Step.PLACING},
    Step.UNDOING: {Step.PLACING},
    Step.ASSIGNED: {Step.UNDOING, Step.PROCESSED},
    Step.UNDONE: {Step.ASSIGNING, Step.REFUSED},
    Step.PROCESSED: {Step.UNPROCESSED, Step.UNDOING},
    Step.UNPROCESSED: {Step.PROCESSED, Step.UNDOING},
    Step.REFUSED: {Step.READMITTED},
    Step.READMITTED: {Step.ASSIGNING, Step.REFUSED},
}
"""Which step may follow which in a document's life. Its removal at the source comes at any time once it is stored."""


class Life(RuleBasedStateMachine):
    """A source with files, a firm that collects them and files them, and programs that die anywhere in between."""

    @initialize()
    def begin(self) -> None:
        """Open a new firm."""
        self.place = Path(tempfile.mkdtemp(prefix="navette-states-"))
        self.firm = opened(self.place / "home", Clock())
        add_dossiers(self.firm, "000204", "000205")
        self.source: dict[str, tuple[bytes, str | None]] = {}
        self.sent: list[bytes] = []

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "firm"):
            try:
                self.collect("")
                with contextlib.suppress(Failure):
                    waiting_list.resume(self.firm)
                self.all_is_there()
                assert self.source == {}
            finally:
                self.firm.close()
                shutil.rmtree(self.place)

    @rule(number=st.sampled_from(["000204", "000205", None]), same=st.booleans())
    def send(self, number: str | None, same: bool) -> None:
        """Put a file at the source; perhaps one with bytes that came before; all have one name."""
        content = self.sent[0] if same and self.sent else b"%d" % len(self.sent)
        self.sent.append(content)
        self.source[f"/{number}/{len(self.sent)}/scan.pdf"] = content, number

    @rule(step=st.sampled_from(DELIVERING))
    def collect(self, step: str) -> None:
        """Do what a round does, and die at a step."""
        with contextlib.suppress(DiedError), desk(self.firm, reached=dies_at(step)) as at:
            at.delivery.resume(at.open())
            known = {document.path: document for document in at.open()}
            for document in [one for one in known.values() if one.state is State.STORED]:
                self.remove(document)
                at.delivery.removed([document])
            files = dict(self.source)
            arrivals = [at.arrival("scan.pdf", content, number, path) for path, (content, number) in files.items()]
            fresh = {path: one for path, one in known.items() if one.state is State.DISCOVERED}
            if not arrivals:
                return
            documents = at.delivery.discover(arrivals, fresh)
            received = [
                at.delivery.receive(document, arrival, writing(files[arrival.path][0]))
                for document, arrival in zip(documents, arrivals, strict=True)
            ]
            outcome = at.delivery.store(received)
            assert outcome.failed == []
            for document, _ in outcome.stored:
                self.remove(document)
            at.delivery.removed([document for document, _ in outcome.stored])

    def remove(self, document: Document) -> None:
        """Remove a file at the source, if it is still there."""
        self.source.pop(document.path, None)

    @rule(step=st.sampled_from(MOVING), number=st.sampled_from(["000204", "000205"]), which=st.integers(0, 20))
    def assign(self, step: str, number: str, which: int) -> None:
        """Assign one of the waiting documents, and die at a step."""
        waits = waiting_list.waiting(self.firm)
        if waits:
            with contextlib.suppress(DiedError, Failure):
                waiting_list.assign(self.firm, waits[which % len(waits)].id, number, reached=dies_at(step))

    @rule(step=st.sampled_from(MOVING), which=st.integers(1, 20))
    def take_back(self, step: str, which: int) -> None:
        """Take a document out of its dossier, and die at a step."""
        with contextlib.suppress(DiedError, Failure):
            waiting_list.take_back(self.firm, which, reached=dies_at(step))

    @rule(which=st.integers(1, 20), processed=st.booleans())
    def file(self, which: int, processed: bool) -> None:
        """Mark a document as processed, or not after all."""
        with contextlib.suppress(Failure):
            filed.mark(self.firm, which, processed)

    @rule(which=st.integers(1, 20), back=st.booleans())
    def refuse(self, which: int, back: bool) -> None:
        """Refuse a document, or readmit it."""
        with contextlib.suppress(Failure):
            (waiting_list.readmit if back else waiting_list.refuse)(self.firm, which)

    @invariant()
    def all_is_there(self) -> None:
        """Every file that was ever sent is at the source or has its place, whole, and each place is one document's."""
        if not hasattr(self, "firm"):
            return
        places = [folder(self.firm, "000204"), folder(self.firm, "000205"), self.firm.waiting_folder]
        held = [content for place in places for name, content in contents(place).items() if not name.startswith(".")]
        rest = sorted(held)
        for content in self.sent:
            if content in rest:
                rest.remove(content)
            else:
                assert content in {file for file, _ in self.source.values()}
        at_source = [content for content, _ in self.source.values()]
        assert len(held) <= len(self.sent) + len(rest)
        assert len(rest) <= len(at_source) + 1, "a copy beside its source, or a move on its way, and no more"

    @invariant()
    def every_life_is_one_of_those_that_may_be(self) -> None:
        """Each document takes its steps in an order that the table allows."""
        if not hasattr(self, "firm"):
            return
        last: dict[int, Step] = {}
        stored: set[int] = set()
        for line in journal.latest(self.firm, 10_000):
            if line.step is Step.FAILED:
                continue
            if line.step is Step.REMOVED:  # whatever people do with the document meanwhile
                stored.remove(line.document)
                continue
            if line.step is Step.STORED:
                stored.add(line.document)
            assert line.step in AFTER[last.get(line.document)], (last.get(line.document), line)
            last[line.document] = line.step


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
