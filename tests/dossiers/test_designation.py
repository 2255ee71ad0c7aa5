"""One runner: the designated machine, one process on it, and no write from one that lost its turn."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from firm_rooms import START, Clock, Desk, contents, desk, folder, opened, writing
from sqlalchemy import update

from dossiers import journal, tables
from dossiers.designation import Lease, assigning, holder, running_rounds
from dossiers.document import State
from dossiers.firm import Firm
from transfer.failures import PermanentFailure, TemporaryFailure


def enter(firm: Firm) -> tuple[contextlib.ExitStack, Lease]:
    """Take the lease without giving it back at the end of a block."""
    stack = contextlib.ExitStack()
    return stack, stack.enter_context(running_rounds(firm))


def test_the_first_that_starts_designates_its_machine(home: Path, firm: Firm, clock: Clock) -> None:
    """Where no machine is named, the first one names itself; another is then refused by a sentence that names it."""
    with running_rounds(firm):
        assert firm.settings.text("service.machine") == "PC-1"
    with opened(home, clock, "PC-2") as other, pytest.raises(PermanentFailure) as refused, running_rounds(other):
        pass
    assert refused.value.code == "designation.not_designated"
    assert refused.value.values == {"machine": "PC-1", "here": "PC-2"}


def test_a_second_process_of_the_machine_is_refused(firm: Firm) -> None:
    """While one runs, another is told where and since when."""
    with running_rounds(firm):
        assert holder(firm) == ("PC-1", firm.clock())
        with pytest.raises(PermanentFailure) as refused, running_rounds(firm):
            pass
    assert refused.value.code == "designation.runs_elsewhere"
    assert refused.value.values["machine"] == "PC-1"
    assert str(refused.value.values["since"]).startswith("2026-11-24 ")
    assert holder(firm) is None


def test_a_machine_that_was_designated_anew_waits_for_the_old_one(home: Path, firm: Firm, clock: Clock) -> None:
    """The hand-over is complete when the old machine has stopped, or has given no sign of life for 90 seconds."""
    stack, _ = enter(firm)
    firm.settings.set("service.machine", "PC-2")
    with opened(home, clock, "PC-2") as other:
        with pytest.raises(PermanentFailure, match=r"designation\.runs_elsewhere"), running_rounds(other):
            pass
        clock.turn(seconds=89)
        with pytest.raises(PermanentFailure, match=r"designation\.runs_elsewhere"), running_rounds(other):
            pass
        clock.turn(seconds=1)
        with running_rounds(other) as lease:
            assert lease.epoch == 2
    stack.close()


def test_a_process_that_was_killed_gives_its_place_at_once(firm: Firm) -> None:
    """The lease of a process that no longer lives on this machine holds nothing: no wait after a crash."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stack, _ = enter(firm)
    with firm.database.write() as connection:
        connection.execute(update(tables.lease).values(process=dead.pid))
    with running_rounds(firm) as lease:
        assert lease.epoch == 2
    stack.close()


def test_a_sign_of_life_keeps_the_lease(firm: Firm, clock: Clock) -> None:
    """A holder that shows every twenty seconds that it lives keeps its place for as long as it likes."""
    with running_rounds(firm) as lease:
        for _ in range(20):
            clock.turn(seconds=20)
            lease.keep()
        assert holder(firm) == ("PC-1", START)
        clock.turn(seconds=90)
        assert holder(firm) is None


def test_a_stale_epoch_can_change_nothing(home: Path, firm: Firm, clock: Clock) -> None:
    """A runner that slept while another took over is refused at its next write, whatever step that is."""
    stack, stale = enter(firm)
    sleeper = Desk(firm, stale, None, lambda _: None)
    received = sleeper.receive(("scan.pdf", b"of the sleeper"))
    clock.turn(minutes=5)
    with opened(home, clock) as other, desk(other) as at:
        assert at.lease.epoch == 2
        at.delivery.resume(at.open())
        (document,) = at.open()
        refusals = [
            lambda: sleeper.delivery.store(received),
            lambda: sleeper.delivery.removed([document]),
            lambda: sleeper.delivery.vanished([document]),
            lambda: sleeper.delivery.failed([(document, TemporaryFailure("fetch.torn"))]),
            lambda: sleeper.receive(("other.pdf", b"x")),
            stale.keep,
        ]
        for refused in refusals:
            with pytest.raises(PermanentFailure, match=r"designation\.lost"):
                refused()
        assert [one.state for one in at.open()] == [State.DISCOVERED]
    assert {line.epoch for line in journal.latest(firm)} == {1}
    stack.close()


def test_a_stale_runner_does_not_spoil_what_its_successor_receives(home: Path, firm: Firm, clock: Clock) -> None:
    """Both have a part of the same name for the same document: that of the successor stays, and is stored whole."""
    stack, stale = enter(firm)
    sleeper = Desk(firm, stale, None, lambda _: None)
    arrival = sleeper.arrival("scan.pdf", b"whole", "000204")
    (document,) = sleeper.delivery.discover([arrival], {})
    clock.turn(minutes=5)
    with opened(home, clock) as other, desk(other) as at:

        def slow(target: object) -> object:
            at.delivery.resume(at.open())
            again = at.delivery.discover([arrival], {arrival.path: document})
            received.append(at.delivery.receive(again[0], arrival, writing(b"whole")))
            clock.turn(seconds=30)
            target.write(b"whole")  # type: ignore[attr-defined]
            raise AssertionError("the lease was lost")

        received: list[object] = []
        with pytest.raises(PermanentFailure, match=r"designation\.lost"):
            sleeper.delivery.receive(document, arrival, slow)  # type: ignore[arg-type]
        assert at.delivery.store(received).failed == []  # type: ignore[arg-type]
    assert contents(folder(firm)) == {"scan.pdf": b"whole"}
    stack.close()


def test_two_cannot_assign_at_the_same_moment(firm: Firm) -> None:
    """A second assignment is told to try again; rounds and assignments do not keep each other back."""
    busy = pytest.raises(TemporaryFailure, match=r"designation\.busy")
    with running_rounds(firm), assigning(firm), busy, assigning(firm):
        pass
    with assigning(firm) as lease:
        assert lease.epoch == 2
