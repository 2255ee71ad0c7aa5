"""The journal: a document's whole life, found by number, dossier, moment and hash; twins are flagged, never dropped."""

import hashlib
from pathlib import Path

import pytest
from firm_rooms import START, Clock, contents, desk, folder
from navette_server import navette

from dossiers import filed, journal, waiting_list
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.journal import Step
from transfer.failures import PermanentFailure

SHA = hashlib.sha256(b"abc").hexdigest()


def delivered(firm: Firm, name: str, content: bytes = b"abc", number: str | None = "000204") -> Document:
    """Deliver a document, and let its source go."""
    with desk(firm) as at:
        ((document, _),) = at.deliver((name, content), number=number).stored
        at.delivery.removed([document])
    return journal.document(firm, document.id)


def steps(firm: Firm, document: Document) -> list[Step]:
    """Return the steps of a document."""
    return [line.step for line in journal.of_document(firm, document.id)]


def test_each_step_tells_when_where_who_and_of_which_bytes(firm: Firm, clock: Clock) -> None:
    """From the source to the dossier and back to the list, every row has moment, machine, epoch, size, hash, place."""
    document = delivered(firm, "scan.pdf", number=None)
    clock.turn(minutes=1)
    waiting_list.assign(firm, document.id, "000204", by="anna")
    filed.mark(firm, document.id, by="anna")
    filed.mark(firm, document.id, processed=False, by="bert")
    waiting_list.take_back(firm, document.id, by="bert")
    waiting_list.refuse(firm, document.id, by="bert", remark="advertisement")
    lines = journal.of_document(firm, document.id)
    assert [line.step.value for line in lines] == [
        *("discovered", "placing", "stored", "removed"),
        *("assigning", "placing", "assigned", "processed", "unprocessed"),
        *("undoing", "placing", "undone", "refused"),
    ]
    assert {line.machine for line in lines} == {"PC-1"}
    assert [line.at for line in lines] == [START] * 4 + [clock.now] * 9
    assert [line.size for line in lines] == [3] * 13
    assert [line.sha256 for line in lines] == [None] + [SHA] * 12
    assert [line.actor for line in lines[4:]] == ["anna"] * 4 + ["bert"] * 5
    assert lines[0].place == "a test /None/0/scan.pdf"
    assert lines[2].place == str(firm.waiting_folder / "scan.pdf")
    assert lines[6].place == str(folder(firm) / "scan.pdf")
    assert lines[-1].detail == "advertisement"
    by_name: dict[str, list[int]] = {}
    for line in lines:
        by_name.setdefault(line.actor or "", []).append(line.epoch)
    assert all(epochs == sorted(epochs) for epochs in by_name.values())


def test_marking_twice_is_one_step_and_only_for_what_is_in_a_dossier(firm: Firm) -> None:
    """Whether a document is processed is told once; one that waits, or does not exist, is refused."""
    document = delivered(firm, "scan.pdf")
    assert filed.mark(firm, document.id).processed is not None
    filed.mark(firm, document.id)
    assert steps(firm, document).count(Step.PROCESSED) == 1
    assert filed.mark(firm, document.id, processed=False).processed is None
    waits = delivered(firm, "other.pdf", b"x", number=None)
    for number in (waits.id, 999):
        with pytest.raises(PermanentFailure, match=r"filed\.in_no_dossier"):
            filed.mark(firm, number)


def test_the_same_bytes_are_kept_linked_and_flagged(firm: Firm) -> None:
    """Whatever dossier and name they come under, each copy is kept and says which was the first."""
    first = delivered(firm, "scan.pdf")
    other = delivered(firm, "different.pdf", b"other")
    second = delivered(firm, "copy.pdf", number="000205")
    third = delivered(firm, "scan.pdf", number=None)
    assert [one.duplicate_of for one in (first, other, second, third)] == [None, None, first.id, first.id]
    assert Step.DUPLICATE not in steps(firm, first) + steps(firm, other)
    flagged = [line for line in journal.of_document(firm, third.id) if line.step is Step.DUPLICATE]
    assert [line.detail for line in flagged] == [str(first.id)]
    assert contents(folder(firm)) == {"different.pdf": b"other", "scan.pdf": b"abc"}
    assert contents(folder(firm, "000205")) == {"copy.pdf": b"abc"}
    assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}
    assert [one.id for one in journal.twins(firm, second)] == [first.id, third.id]
    assert journal.twins(firm, other) == []


def test_twins_of_one_batch_are_flagged_too(firm: Firm) -> None:
    """The first of a batch is the first; the same bytes again within it are linked to that one."""
    with desk(firm) as at:
        stored = at.deliver(("a.pdf", b"abc"), ("b.pdf", b"abc"), ("c.pdf", b"other"), ("d.pdf", b"abc")).stored
    a, b, c, d = (journal.document(firm, document.id) for document, _ in stored)
    assert [one.duplicate_of for one in (a, b, c, d)] == [None, a.id, None, a.id]


def test_a_twin_that_was_found_first_and_stored_last_is_flagged(firm: Firm) -> None:
    """What counts is which bytes were kept first, not which document was discovered first."""
    with desk(firm) as at:
        early = at.receive(("early.pdf", b"abc"))
        ((late, _),) = at.deliver(("late.pdf", b"abc"), number="000205").stored
        at.delivery.store(early)
    assert journal.document(firm, early[0].document.id).duplicate_of == late.id
    assert journal.document(firm, late.id).duplicate_of is None


def test_documents_are_found_by_hash_moment_and_dossier(firm: Firm, clock: Clock) -> None:
    """The whole hash or its beginning, a moment, a dossier's number: each finds exactly what it names."""
    first = delivered(firm, "scan.pdf")
    clock.turn(hours=1)
    second = delivered(firm, "copy.pdf", number="000205")
    delivered(firm, "other.pdf", b"other")
    for digits in (SHA, SHA[:8], SHA[:20].upper()):
        assert [one.id for one in journal.with_hash(firm, digits)] == [first.id, second.id]
    assert journal.with_hash(firm, "0" * 64) == []
    for wrong in ("", "abc", "x" * 64, SHA + "0"):
        with pytest.raises(PermanentFailure, match=r"journal\.bad_hash"):
            journal.with_hash(firm, wrong)
    assert {line.document for line in journal.since(firm, clock.now)} == {2, 3}
    assert {line.document for line in journal.since(firm, START)} == {1, 2, 3}
    assert {line.document for line in journal.of_dossier(firm, "000205")} == {2}
    with pytest.raises(PermanentFailure, match=r"journal\.unknown_document"):
        journal.document(firm, 99)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("in dossier 000204", "the same bytes: document 2", "same bytes as document", "stored")),
        ("fr", ("dans le dossier 000204", "les mêmes octets : document 2", "mêmes octets que le document", "classé")),
        ("nl", ("in dossier 000204", "dezelfde bytes: document 2", "zelfde bytes als document", "geklasseerd")),
    ],
)
def test_the_command_tells_a_life_in_one_line_and_its_steps(
    firm: Firm, home: Path, language: str, told: tuple[str, ...]
) -> None:
    """Whoever asks where a document is reads it in one line, by number or by hash; a wrong date is told."""
    delivered(firm, "scan.pdf")
    delivered(firm, "copy.pdf", number="000205")
    words = ("--language", language, "journal")
    line, *rest = navette(home, *words, "1").stdout.splitlines()
    assert "scan.pdf" in line
    assert str(folder(firm) / "scan.pdf") in line
    assert told[0] in line
    assert told[1] in rest[0]
    assert told[2] in navette(home, *words, "2").stdout
    by_hash = navette(home, *words, "--hash", SHA[:12]).stdout
    assert line in by_hash
    assert told[3] in navette(home, *words, "--since", "2026-11-24").stdout
    assert "copy.pdf" in navette(home, *words, "--dossier", "000205").stdout
    refused = navette(home, *words, "--since", "yesterday", check=False)
    assert (refused.returncode, "[journal.bad_date]" in refused.stderr) == (2, True)
    navette(home, *words[:2], "processed", "1")
    assert Step.PROCESSED in [each.step for each in journal.of_document(firm, 1)]
