"""Rounds every few minutes, with time that the test turns."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from firm_rooms import START, Clock

from dossiers import rounds
from dossiers.designation import Lease, running_rounds
from dossiers.firm import Firm
from dossiers.rounds import Pulse, Result, Rounds, Source, Status, Turn
from transfer.failures import Failure, PermanentFailure, TemporaryFailure


class Bench:
    """Rounds over one source whose rounds the test writes, until a number of them has run."""

    def __init__(self, firm: Firm, clock: Clock, lease: Lease) -> None:
        self.firm = firm
        self.clock = clock
        self.lease = lease
        self.ran: list[float] = []
        self.told: list[tuple[Status, Failure | None]] = []
        self.stopped = False

    def round(self, _: Lease) -> Result:
        """Note the minute, and that one document was delivered."""
        self.ran.append((self.clock.now - START).total_seconds() / 60)
        return Result(delivered=1)

    def run(self, count: int, *sources: Source, pulse: Pulse | None = None) -> None:
        """Run until ``count`` rounds were reported."""

        def report(status: Status, failure: Failure | None) -> None:
            self.told.append((status, failure))
            self.stopped = self.stopped or len(self.told) >= count

        every = sources or (Source("ftp", "service.ftp", self.round),)
        Rounds(
            self.firm,
            self.lease,
            lambda: every,
            wait=self.clock.wait,
            stopping=lambda: self.stopped,
            report=report,
            pulse=pulse,
            grace=1.0,
            stop_grace=2.0,
        ).run()


@pytest.fixture
def bench(firm: Firm, clock: Clock) -> Iterator[Bench]:
    """A bench that holds the lease."""
    with running_rounds(firm) as lease:
        yield Bench(firm, clock, lease)


def test_rounds_run_every_five_minutes(bench: Bench) -> None:
    """The first runs at once, each next one five minutes after the last ended; the lease is kept all the time."""
    bench.run(12)
    assert bench.ran == [5.0 * n for n in range(12)]
    assert max(bench.clock.waited) <= 5.0


def test_the_minutes_can_be_changed_while_it_runs(bench: Bench) -> None:
    """A new number of minutes counts from the next round on."""
    bench.firm.settings.set("service.minutes", "2")
    bench.run(2)
    bench.firm.settings.set("service.minutes", "30")
    bench.stopped = False
    bench.run(4)
    assert bench.ran == [0, 2, 2, 32]


def test_a_round_that_fails_is_told_and_the_next_still_runs(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A failure, and even an error nobody thought of, ends one round only; both are logged with a code."""
    ends: list[Exception] = [TemporaryFailure("session.unreachable", host="h", port=21), ZeroDivisionError("oops")]

    def fail(_: Lease) -> Result:
        if ends:
            raise ends.pop(0)
        return Result(waiting=2)

    bench.run(3, Source("ftp", "service.ftp", fail))
    assert [status.failure for status, _ in bench.told] == ["session.unreachable", "rounds.unexpected", None]
    assert bench.told[0][1] is not None
    assert "session.unreachable host=h port=21" in caplog.text
    assert "rounds.unexpected" in caplog.text


def test_one_source_that_fails_keeps_no_other_back(bench: Bench) -> None:
    """Each source has its own round."""

    def fail(_: Lease) -> Result:
        raise TemporaryFailure("session.unreachable", host="h", port=21)

    bench.run(2, Source("ftp", "service.ftp", fail), Source("mail", "service.ftp", bench.round))
    assert [(status.source, status.failure) for status, _ in bench.told] == [
        ("ftp", "session.unreachable"),
        ("mail", None),
    ]


def test_a_source_that_is_not_ticked_is_left_out(bench: Bench, clock: Clock) -> None:
    """A source that is switched off has no rounds until it is switched on."""
    bench.firm.settings.set("service.ftp", "no")
    wait = clock.wait

    def wait_and_tick(seconds: float) -> None:
        wait(seconds)
        if clock.now - START > timedelta(minutes=12):
            bench.firm.settings.set("service.ftp", "yes")

    clock.wait = wait_and_tick  # type: ignore[method-assign]
    bench.run(1)
    assert bench.ran == [15.0]


def test_a_round_can_be_asked_for_at_once(bench: Bench, clock: Clock) -> None:
    """Whoever asks, on whatever machine, need not wait for the next round."""
    wait = clock.wait

    def wait_and_ask(seconds: float) -> None:
        wait(seconds)
        if clock.now == START + timedelta(seconds=30):
            rounds.ask_at_once(bench.firm)

    clock.wait = wait_and_ask  # type: ignore[method-assign]
    bench.run(3)
    assert bench.ran == [0, 0.5, 5.5]


def test_the_last_round_of_each_source_can_be_seen(bench: Bench, clock: Clock) -> None:
    """While a round runs it has no end; afterwards there is its result, and when the next is due."""
    seen: list[Status] = []

    def look(_: Lease) -> Result:
        seen.extend(rounds.statuses(bench.firm))
        clock.turn(seconds=42)
        return Result(1, 2, 3)

    bench.run(1, Source("ftp", "service.ftp", look))
    assert seen == [Status("ftp", START, None, Result(), None, None)]
    ended = START + timedelta(seconds=42)
    next_due = ended + timedelta(minutes=5)
    assert rounds.statuses(bench.firm) == [Status("ftp", START, ended, Result(1, 2, 3), None, next_due)]


def test_a_runner_that_lost_its_lease_stops(bench: Bench) -> None:
    """It does not go on as if nothing had happened: another runs already."""

    def lose(_: Lease) -> Result:
        raise PermanentFailure("designation.lost", machine="PC-1")

    with pytest.raises(PermanentFailure, match=r"designation\.lost"):
        bench.run(1, Source("ftp", "service.ftp", lose))


def test_a_database_that_is_away_for_a_while_ends_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop waits for the database and goes on."""
    number = bench.firm.settings.number
    failures = [TemporaryFailure("database.unavailable")] * 3

    def away(name: str) -> int:
        if failures and name == "service.minutes":
            raise failures.pop()
        return number(name)

    monkeypatch.setattr(bench.firm.settings, "number", away)
    bench.run(1)
    assert len(bench.ran) == 4


def test_stop_is_obeyed_before_the_next_source(bench: Bench) -> None:
    """Told to stop in the round of one source, the next is not begun."""

    def stop(_: Lease) -> Result:
        bench.stopped = True
        return Result()

    bench.run(9, Source("ftp", "service.ftp", stop), Source("mail", "service.ftp", bench.round))
    assert bench.ran == []


class LongSilent(Pulse):
    """A pulse that has not beaten for two hours."""

    def seconds(self) -> float:
        """Return two hours."""
        return 7200.0


def test_a_round_that_hangs_is_cut_and_told_and_the_next_runs(bench: Bench) -> None:
    """When nothing has come through for an hour the round is broken off from outside, and the service goes on."""
    broken_off = threading.Event()

    def hang(_: Lease) -> Result:
        if broken_off.is_set():
            return Result(delivered=1)
        broken_off.wait(60)
        raise TemporaryFailure("session.interrupted", host="h", port=21)

    bench.run(2, Source("ftp", "service.ftp", hang, cut=broken_off.set), pulse=LongSilent())
    assert [status.failure for status, _ in bench.told] == ["rounds.hung", None]
    assert rounds.statuses(bench.firm)[0].result == Result(delivered=1)


def test_a_stop_during_a_round_that_hangs_does_not_wait_for_the_deadline(bench: Bench) -> None:
    """Told to stop, a round has a moment to end by itself; then it is cut, which is nobody's failure."""
    broken_off = threading.Event()

    def hang(_: Lease) -> Result:
        bench.stopped = True
        broken_off.wait(60)
        raise TemporaryFailure("session.interrupted", host="h", port=21)

    began = time.monotonic()
    bench.run(9, Source("ftp", "service.ftp", hang, cut=broken_off.set))
    assert time.monotonic() - began < 30
    assert [status.failure for status, _ in bench.told] == ["rounds.stopped"]
    assert rounds.statuses(bench.firm)[0].failures == 0


def test_a_stop_lets_a_round_that_works_end_by_itself(bench: Bench) -> None:
    """What was begun is finished: the round is not cut, and its result is kept."""
    cut: list[bool] = []

    def work(_: Lease) -> Result:
        bench.stopped = True
        threading.Event().wait(0.8)
        return Result(delivered=1)

    bench.run(9, Source("ftp", "service.ftp", work, cut=lambda: cut.append(True)))
    assert (cut, bench.told[0][0].result) == ([], Result(delivered=1))


def test_a_round_that_cannot_be_cut_ends_the_service(bench: Bench) -> None:
    """A disk that does not answer holds its thread for good: the service says so and ends, to be started anew."""
    disk_answers = threading.Event()

    def stuck(_: Lease) -> Result:
        disk_answers.wait(60)
        return Result()

    with pytest.raises(PermanentFailure, match=r"rounds\.stuck"):
        bench.run(9, Source("ftp", "service.ftp", stuck), pulse=LongSilent())
    assert [status.failure for status, _ in bench.told] == ["rounds.stuck"]
    assert rounds.statuses(bench.firm)[0].failure == "rounds.stuck"
    disk_answers.set()
    for thread in threading.enumerate():
        if thread.name == "round-ftp":
            thread.join(10)


def test_a_paused_service_runs_only_what_is_asked_for(bench: Bench, clock: Clock) -> None:
    """Paused from the start it waits; a round that is asked for runs; resumed, rounds follow each other again."""
    settings = bench.firm.settings
    rounds.ask_at_once(bench.firm)  # of an earlier day
    settings.set("service.paused", "yes")
    wait = clock.wait

    def wait_and_act(seconds: float) -> None:
        wait(seconds)
        minutes = (clock.now - START).total_seconds() / 60
        if minutes == 20:
            assert rounds.next_turn(bench.firm) == (Turn.PAUSED, None)
            rounds.ask_at_once(bench.firm)
        if minutes == 40:
            settings.set("service.paused", "no")
            rounds.ask_at_once(bench.firm)

    clock.wait = wait_and_act  # type: ignore[method-assign]
    bench.run(3)
    assert bench.ran == [20, 40, 45]


def test_what_comes_next_can_be_told(firm: Firm, clock: Clock) -> None:
    """Stopped, running, due at a moment, paused, or with nothing to collect from."""
    seen: list[Turn] = []

    def look(_: Lease) -> Result:
        seen.append(rounds.next_turn(firm)[0])
        return Result()

    assert rounds.next_turn(firm) == (Turn.STOPPED, None)
    with running_rounds(firm) as lease:
        Bench(firm, clock, lease).run(1, Source("ftp", "service.ftp", look))
        assert seen == [Turn.RUNS]
        assert rounds.next_turn(firm) == (Turn.DUE, clock.now + timedelta(minutes=5))
        firm.settings.set("service.ftp", "no")
        assert rounds.next_turn(firm) == (Turn.NOTHING_TICKED, None)
    assert rounds.next_turn(firm) == (Turn.STOPPED, None)


def test_a_source_has_a_delay_of_its_own_and_can_be_woken(bench: Bench, clock: Clock) -> None:
    """One that is due more often runs alone in between, and so does one that is woken; the others keep their time."""
    often: list[float] = []
    made: list[Rounds] = []

    def quick(_: Lease) -> Result:
        often.append((clock.now - START).total_seconds() / 60)
        if often == [0]:
            made[0].wake("mail.a")
        bench.stopped = len(often) >= 6
        return Result()

    sources = [Source("ftp", "service.ftp", bench.round), Source("mail.a", "service.ftp", quick, minutes=2)]
    stopping = lambda: bench.stopped  # noqa: E731
    made.append(Rounds(bench.firm, bench.lease, lambda: sources, wait=clock.wait, stopping=stopping))
    made[0].run()
    assert often == [0, 0, 2, 4, 6, 8]
    assert bench.ran == [0, 5]
