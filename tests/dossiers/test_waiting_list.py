"""The waiting list: documents without a dossier, and their way into one, whatever happens in between."""

import contextlib
import getpass
import subprocess
from functools import partial
from pathlib import Path

import pytest
from firm_rooms import Clock, DiedError, add_dossiers, contents, desk, dies_at, folder, opened
from navette_server import NAVETTE, ROOT, navette

from dossiers import dossier as dossiers
from dossiers import journal, waiting_list
from dossiers.designation import assigning
from dossiers.disk import Disk
from dossiers.document import Document, State
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from transfer.failures import PermanentFailure, TemporaryFailure

STEPS = ("assigning", "copied", "placing", "linked", "stored", "removed")


@pytest.fixture
def waiting(firm: Firm) -> Document:
    """A document on the waiting list."""
    with desk(firm) as at:
        ((document, _),) = at.deliver(("scan.pdf", b"abc"), number=None).stored
        at.delivery.removed([document])
    return document


def test_a_document_of_no_dossier_waits_with_its_reason(firm: Firm, waiting: Document) -> None:
    """The list shows the document, where it can be looked at and why it waits."""
    (listed,) = waiting_list.waiting(firm)
    assert (listed.id, listed.dossier, listed.reason) == (waiting.id, None, "waiting.no_dossier")
    assert listed.final.read_bytes() == b"abc"


def test_an_assigned_document_is_in_the_dossier_and_no_longer_on_the_list(firm: Firm, waiting: Document) -> None:
    """Assigning moves the file, and the journal tells it in the dossier too."""
    document = waiting_list.assign(firm, waiting.id, "000204")
    assert (document.dossier, document.reason, document.final) == ("000204", None, folder(firm) / "scan.pdf")
    assert contents(folder(firm)) == {"scan.pdf": b"abc"}
    assert contents(firm.waiting_folder) == {}
    assert waiting_list.waiting(firm) == []
    told = [(line.step.value, line.reason) for line in journal.of_document(firm, waiting.id)]
    assert told[-3:] == [("assigning", None), ("placing", None), ("assigned", None)]
    assert [line.step.value for line in journal.of_dossier(firm, "000204")] == ["assigning", "placing", "assigned"]


def test_an_assigned_document_replaces_nothing(firm: Firm, waiting: Document) -> None:
    """A name that is taken in the dossier, in capitals or not, gets a counter."""
    folder(firm).mkdir(parents=True)
    (folder(firm) / "SCAN.PDF").write_bytes(b"there before")
    waiting_list.assign(firm, waiting.id, "000204")
    assert contents(folder(firm)) == {"SCAN.PDF": b"there before", "scan(2).pdf": b"abc"}


def test_a_document_can_be_assigned_before_its_source_is_removed(firm: Firm) -> None:
    """The accountant need not wait for a server that is away; the source is removed later as for any document."""
    with desk(firm) as at:
        ((document, _),) = at.deliver(("scan.pdf", b"abc"), number=None).stored
        waiting_list.assign(firm, document.id, "000204")
        (left,) = at.open()
        assert (left.state, left.dossier) == (State.STORED, "000204")
        at.delivery.removed([left])
    assert contents(folder(firm)) == {"scan.pdf": b"abc"}


@pytest.mark.parametrize("step", STEPS)
def test_an_assignment_that_died_is_finished_by_the_next_program(firm: Firm, waiting: Document, step: str) -> None:
    """Whatever step it died at, the document is in the dossier exactly once when someone opens the list again."""
    with contextlib.suppress(DiedError):
        waiting_list.assign(firm, waiting.id, "000204", reached=dies_at(step))
        raise AssertionError(f"{step} was not reached")
    waiting_list.resume(firm)
    assert contents(folder(firm)) == {"scan.pdf": b"abc"}
    assert contents(firm.waiting_folder) == {}
    assert waiting_list.waiting(firm) == []
    waiting_list.resume(firm)


@pytest.mark.parametrize("step", STEPS)
def test_assigning_again_after_a_crash_never_doubles(firm: Firm, waiting: Document, step: str) -> None:
    """The accountant clicks again after the crash: the first assignment is finished and the second refused."""
    with contextlib.suppress(DiedError):
        waiting_list.assign(firm, waiting.id, "000204", reached=dies_at(step))
    with pytest.raises(PermanentFailure, match=r"waiting\.already_assigned"):
        waiting_list.assign(firm, waiting.id, "000205")
    assert contents(folder(firm)) == {"scan.pdf": b"abc"}
    assert contents(folder(firm, "000205")) == {}


def test_a_copy_that_was_damaged_while_nothing_ran_is_made_again(firm: Firm, waiting: Document) -> None:
    """A part that no longer holds the bytes is not linked; the waiting file is copied once more."""
    with contextlib.suppress(DiedError):
        waiting_list.assign(firm, waiting.id, "000204", reached=dies_at("placing"))
    (folder(firm) / f".navette-{waiting.id}").write_bytes(b"ab")
    waiting_list.resume(firm)
    assert contents(folder(firm)) == {"scan.pdf": b"abc"}


@pytest.mark.parametrize(
    ("document", "number", "code"),
    [
        (99, "000204", "waiting.unknown_document"),
        (1, "999999", "dossier.unknown"),
        (2, "000204", "waiting.not_waiting"),
    ],
)
def test_what_cannot_be_assigned_is_refused(
    firm: Firm, waiting: Document, document: int, number: str, code: str
) -> None:
    """An unknown document, an unknown dossier, and a document that is in a dossier already."""
    assert waiting.id == 1
    with desk(firm) as at:
        at.deliver(("other.pdf", b"x"))
    with pytest.raises(PermanentFailure) as refused:
        waiting_list.assign(firm, document, number)
    assert refused.value.code == code
    assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}


def test_a_file_that_someone_took_out_of_the_folder_is_told(firm: Firm, waiting: Document) -> None:
    """A waiting file that is gone, or that holds other bytes, is not assigned; the row stays on the list."""
    waiting.final.write_bytes(b"other bytes")
    with pytest.raises(PermanentFailure, match=r"receipt\.size_differs"):
        waiting_list.assign(firm, waiting.id, "000204")
    waiting.final.unlink()
    with pytest.raises(PermanentFailure, match=r"waiting\.missing_file"):
        waiting_list.assign(firm, waiting.id, "000204")
    assert [document.id for document in waiting_list.waiting(firm)] == [waiting.id]
    assert contents(folder(firm)) == {}
    assert journal.of_document(firm, waiting.id)[-1].reason == "waiting.missing_file"


def test_a_dossier_that_cannot_be_reached_leaves_the_document_waiting(
    firm: Firm, waiting: Document, tmp_path: Path
) -> None:
    """A dossier on a drive that is away refuses; the document can be assigned once the drive is back."""
    dossiers.add(firm, Dossier("000300", "Away", "fr", str(tmp_path / "drive")))
    with pytest.raises(TemporaryFailure, match=r"delivery\.folder_unreachable"):
        waiting_list.assign(firm, waiting.id, "000300")
    assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}
    (tmp_path / "drive").mkdir()
    waiting_list.assign(firm, waiting.id, "000300")
    assert contents(tmp_path / "drive") == {"scan.pdf": b"abc"}


class TakenFirst(Disk):
    """A disk on which another program takes the chosen name just before the link."""

    def link(self, part: Path, final: Path) -> None:
        """Be late once."""
        if final.name == "scan.pdf":
            final.write_bytes(b"of another program")
        super().link(part, final)


def test_a_name_taken_at_the_last_moment_stays_with_its_owner(firm: Firm, waiting: Document) -> None:
    """The next free name is chosen, and recorded."""
    document = waiting_list.assign(firm, waiting.id, "000204", disk=TakenFirst())
    assert document.placed == "scan(2).pdf"
    assert contents(folder(firm)) == {"scan.pdf": b"of another program", "scan(2).pdf": b"abc"}


def test_a_round_and_an_assignment_never_promise_one_name_twice(firm: Firm, waiting: Document) -> None:
    """A document that is being placed by the one holds its name for the other, though nothing is on the disk yet."""
    with contextlib.suppress(DiedError):
        waiting_list.assign(firm, waiting.id, "000204", reached=dies_at("placing"))
    with desk(firm) as at:
        ((document, _),) = at.deliver(("SCAN.pdf", b"of the round")).stored
    assert document.placed == "SCAN(2).pdf"
    waiting_list.resume(firm)
    assert contents(folder(firm)) == {"scan.pdf": b"abc", "SCAN(2).pdf": b"of the round"}


def test_someone_elses_assignment_is_left_alone(firm: Firm, waiting: Document, clock: Clock) -> None:
    """While another program assigns, one is told to try again; nothing is resumed under its hands."""
    with contextlib.suppress(DiedError):
        waiting_list.assign(firm, waiting.id, "000204", reached=dies_at("copied"))
    with opened(firm.home, clock) as other, assigning(other):
        with pytest.raises(TemporaryFailure, match=r"designation\.busy"):
            waiting_list.resume(firm)
        assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}


@pytest.fixture
def assigned(firm: Firm, waiting: Document) -> Document:
    """A document that was assigned to dossier 000204."""
    return waiting_list.assign(firm, waiting.id, "000204", by="anna")


def test_an_assignment_that_is_undone_is_on_the_list_again(firm: Firm, assigned: Document) -> None:
    """The file goes back, the reason says why it waits, and it can be assigned to the right dossier."""
    document = waiting_list.take_back(firm, assigned.id)
    assert contents(folder(firm)) == {}
    assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}
    assert [(one.id, one.reason) for one in waiting_list.waiting(firm)] == [(document.id, "waiting.taken_back")]
    waiting_list.assign(firm, assigned.id, "000205")
    assert contents(folder(firm, "000205")) == {"scan.pdf": b"abc"}
    assert contents(firm.waiting_folder) == {}


@pytest.mark.parametrize("step", STEPS)
def test_undoing_that_died_is_finished_by_the_next_program(firm: Firm, assigned: Document, step: str) -> None:
    """Whatever step it died at, the document waits exactly once when someone opens the list again."""
    with contextlib.suppress(DiedError):
        waiting_list.take_back(firm, assigned.id, reached=dies_at(step))
        raise AssertionError(f"{step} was not reached")
    waiting_list.resume(firm)
    assert contents(folder(firm)) == {}
    assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}
    assert [one.id for one in waiting_list.waiting(firm)] == [assigned.id]


def test_a_document_that_someone_changed_in_its_dossier_stays_there(firm: Firm, assigned: Document) -> None:
    """What an accountant has worked on, moved or deleted is not taken from under their hands."""
    assigned.final.write_bytes(b"annotated")
    with pytest.raises(PermanentFailure, match=r"receipt\.size_differs"):
        waiting_list.take_back(firm, assigned.id)
    assert contents(folder(firm)) == {"scan.pdf": b"annotated"}
    assigned.final.unlink()
    with pytest.raises(PermanentFailure, match=r"waiting\.missing_file"):
        waiting_list.take_back(firm, assigned.id)
    assert journal.document(firm, assigned.id).dossier == "000204"
    assert waiting_list.waiting(firm) == []


def test_only_what_is_in_a_dossier_can_be_taken_back(firm: Firm, waiting: Document) -> None:
    """A document that waits, and one that does not exist, are refused."""
    with pytest.raises(PermanentFailure, match=r"waiting\.in_no_dossier"):
        waiting_list.take_back(firm, waiting.id)
    with pytest.raises(PermanentFailure, match=r"waiting\.unknown_document"):
        waiting_list.take_back(firm, 99)


def test_a_refused_document_is_kept_and_can_come_back(firm: Firm, waiting: Document, clock: Clock) -> None:
    """It leaves the list but not the disk, cannot be assigned meanwhile, and the journal says who refused and why."""
    refused = waiting_list.refuse(firm, waiting.id, by="anna", remark="advertisement")
    assert refused.refused == clock.now
    assert waiting_list.waiting(firm) == []
    assert [one.id for one in waiting_list.refused(firm)] == [waiting.id]
    assert contents(firm.waiting_folder) == {"scan.pdf": b"abc"}
    for again in (waiting_list.refuse, lambda firm, number: waiting_list.assign(firm, number, "000204")):
        with pytest.raises(PermanentFailure, match=r"waiting\.is_refused"):
            again(firm, waiting.id)
    last = journal.of_document(firm, waiting.id)[-1]
    assert (last.step, last.actor, last.detail) == (journal.Step.REFUSED, "anna", "advertisement")
    waiting_list.readmit(firm, waiting.id, by="bert")
    with pytest.raises(PermanentFailure, match=r"waiting\.not_refused"):
        waiting_list.readmit(firm, waiting.id)
    assert waiting_list.refused(firm) == []
    assert waiting_list.assign(firm, waiting.id, "000204").dossier == "000204"


def test_of_two_people_one_wins_and_the_other_is_told_who(home: Path) -> None:
    """Eight programs on the same documents at once: each document goes to one dossier, all others learn which."""
    with Firm(home) as firm:
        add_dossiers(firm, "000204", "000205")
        with desk(firm) as at:
            at.deliver(*[(f"{n}.pdf", b"%d" % n) for n in range(3)], number=None)
    assign = [*NAVETTE, "--home", home, "--language", "en", "waiting", "assign"]
    runs = [(str(1 + n % 3), f"00020{4 + n // 3 % 2}") for n in range(8)]
    started = [
        subprocess.Popen([*assign, *run], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for run in runs
    ]
    ended = [one.communicate(timeout=240) for one in started]
    won = {document: number for one, (document, number) in zip(started, runs, strict=True) if one.returncode == 0}
    assert sorted(won) == ["1", "2", "3"]
    assert [one.returncode for one in started].count(0) == 3
    for one, run, (_, said) in zip(started, runs, ended, strict=True):
        document = run[0]
        told = said
        if "[designation.busy]" in said:  # a slow machine let it give up waiting: it is told when it tries again
            told = navette(home, "--language", "en", "waiting", "assign", *run, check=False).stderr
        if one.returncode:
            assert f"already assigned to dossier {won[document]}, by {getpass.getuser()}" in told
    with Firm(home) as firm:
        assert waiting_list.waiting(firm) == []
        for number in ("000204", "000205"):
            expected = {f"{int(one) - 1}.pdf" for one, dossier in won.items() if dossier == number}
            assert set(contents(folder(firm, number))) == expected


def test_the_list_is_kept_by_commands_in_three_languages(firm: Firm, waiting: Document, home: Path) -> None:
    """Assign, undo, refuse and readmit, each told; what cannot be done ends with its code."""
    for language, words in {
        "fr": ("attend de nouveau", "est refusé", "est de nouveau dans la liste"),
        "nl": ("wacht opnieuw", "is geweigerd", "staat opnieuw op de lijst"),
        "en": ("waits again", "is refused", "is on the list again"),
    }.items():
        run = partial(navette, home, "--language", language, "waiting")
        assert "000204" in run("assign", "1", "000204").stdout
        assert words[0] in run("undo", "1").stdout
        assert words[1] in run("refuse", "1", "--remark", "advertisement").stdout
        assert "scan.pdf" in run("list", "--refused").stdout
        assert "scan.pdf" not in run("list").stdout
        assert "[waiting.is_refused]" in run("assign", "1", "000204", check=False).stderr
        assert words[2] in run("readmit", "1").stdout


def test_a_twin_never_gets_the_name_that_a_move_is_about_to_free(firm: Firm) -> None:
    """A move cut off just before its end removes its own file only, not one with the same bytes that came meanwhile."""
    with desk(firm) as at:
        ((first, _),) = at.deliver(("scan.pdf", b"scan"), number=None).stored
    with contextlib.suppress(DiedError):
        waiting_list.assign(firm, first.id, "000204", reached=dies_at("removed"))
    with desk(firm) as at:
        ((second, _),) = at.deliver(("scan.pdf", b"scan"), number=None).stored
    waiting_list.resume(firm)
    assert contents(folder(firm)) == {"scan.pdf": b"scan"}
    assert contents(firm.waiting_folder) == {second.placed: b"scan"}
    assert waiting_list.assign(firm, second.id, "000204").dossier == "000204"
