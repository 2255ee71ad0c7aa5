"""What a restart makes of each state a delivery can be left in, as the table in dossiers.delivery says."""

import contextlib
import os

import pytest
from firm_rooms import Clock, Desk, DiedError, contents, desk, dies_at, folder

from dossiers import journal
from dossiers.document import Document, State
from dossiers.firm import Firm

NAMES = ("one.pdf", "two.pdf", "three.pdf")


def left_at(firm: Firm, step: str) -> None:
    """Deliver three documents in one batch, and end at a step."""
    with contextlib.suppress(DiedError), desk(firm, reached=dies_at(step)) as at:
        at.deliver(*[(name, name.encode()) for name in NAMES])
        raise AssertionError(f"{step} was not reached")


def restarted(at: Desk) -> list[Document]:
    """Do what a round does first."""
    at.delivery.resume(at.open())
    return at.open()


@pytest.mark.parametrize("step", ["discovered", "downloaded"])
def test_before_placing_the_parts_are_forgotten(firm: Firm, step: str) -> None:
    """A document that was not being placed yet is received again: nothing of it is left in the folder."""
    left_at(firm, step)
    with desk(firm) as at:
        assert {document.state for document in restarted(at)} == {State.DISCOVERED}
    assert contents(folder(firm)) == {}


@pytest.mark.parametrize("step", ["placing", "linked", "stored", "unlinked"])
def test_from_placing_on_every_document_is_in_its_folder_once(firm: Firm, step: str) -> None:
    """A document that was being placed is stored after the restart, under the chosen name, without a part beside it."""
    left_at(firm, step)
    with desk(firm) as at:
        assert {document.state for document in restarted(at)} == {State.STORED}
    assert contents(folder(firm)) == {name: name.encode() for name in NAMES}


def test_a_restart_that_dies_too_is_caught_up_by_the_next(firm: Firm) -> None:
    """The continuation of a state may itself be ended at each of its steps."""
    left_at(firm, "placing")
    for step in ("linked", "stored", "unlinked") * 2:
        with contextlib.suppress(DiedError), desk(firm, reached=dies_at(step)) as at:
            restarted(at)
    with desk(firm) as at:
        assert {document.state for document in restarted(at)} == {State.STORED}
    assert contents(folder(firm)) == {name: name.encode() for name in NAMES}


def test_a_name_taken_while_the_program_was_dead_stays_with_its_owner(firm: Firm) -> None:
    """Someone saves a file under the chosen name before the restart: the document gets the next name."""
    left_at(firm, "placing")
    (folder(firm) / "one.pdf").write_bytes(b"saved by hand")
    with desk(firm) as at:
        placed = {document.placed for document in restarted(at)}
    assert placed == {"one(2).pdf", "two.pdf", "three.pdf"}
    assert contents(folder(firm)) == {
        "one.pdf": b"saved by hand",
        "one(2).pdf": b"one.pdf",
        "two.pdf": b"two.pdf",
        "three.pdf": b"three.pdf",
    }


def test_a_document_that_was_renamed_into_place_is_recognised(firm: Firm) -> None:
    """On a volume without links the part is gone once it has its name: the same bytes under that name are ours."""
    left_at(firm, "placing")
    with desk(firm) as at:
        for document in at.open():
            os.rename(document.part, document.final)
        assert {document.state for document in restarted(at)} == {State.STORED}
    assert contents(folder(firm)) == {name: name.encode() for name in NAMES}


def test_a_part_that_someone_took_away_is_received_again(firm: Firm) -> None:
    """Parts that are gone or damaged are no reason to believe anything stored: the source still has the documents."""
    left_at(firm, "placing")
    with desk(firm) as at:
        one, two, three = (document for document in at.open())
        one.part.unlink()
        two.part.write_bytes(b"damaged")
        assert [document.state for document in restarted(at)] == [State.DISCOVERED, State.DISCOVERED, State.STORED]
    assert contents(folder(firm)) == {three.name: three.name.encode()}


def test_every_row_of_the_journal_says_who_did_it(firm: Firm, clock: Clock) -> None:
    """The steps before and after the restart stand under their own epoch."""
    left_at(firm, "linked")
    clock.turn(hours=1)
    with desk(firm) as at:
        restarted(at)
    told = [(line.step.value, line.epoch) for line in journal.of_document(firm, 1)]
    assert told == [("discovered", 1), ("placing", 1), ("stored", 2)]
