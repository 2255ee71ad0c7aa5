"""Alarms: decided from facts, kept once, told once when they begin and once when they end."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from firm_rooms import START, Clock, desk, opened
from sqlalchemy import update

from dossiers import alarms, rounds, tables
from dossiers import dossier as dossiers
from dossiers.alarm import GIB, Facts, Failing, Kind, Limits, decide
from dossiers.alarm_facts import all_facts, limits, quick_facts
from dossiers.designation import Lease, running_rounds, telling
from dossiers.firm import Firm
from dossiers.rounds import Result, Rounds, Source
from transfer.failures import PermanentFailure, TemporaryFailure

LIMITS = Limits(waiting=50, suspects=2)


def kinds(facts: Facts, *there: tuple[Kind, str]) -> list[tuple[Kind, str]]:
    """Return the kind and subject of each alarm there should be."""
    return [(one.kind, one.subject) for one in decide(facts, LIMITS, there)]


@pytest.mark.parametrize(
    ("calm", "wrong", "alarm"),
    [
        ({"failing": {"ftp": Failing(2, "x")}}, {"failing": {"ftp": Failing(3, "x")}}, (Kind.SOURCE_FAILING, "ftp")),
        ({"free": {"D": 2 * GIB}}, {"free": {"D": 2 * GIB - 1}}, (Kind.DISK_LOW, "D")),
        ({"suspects": 1}, {"suspects": 2}, (Kind.SUSPECTS, "")),
        ({"waiting": 49}, {"waiting": 50}, (Kind.WAITING, "")),
        (
            {"ends": {"host:21": START + timedelta(days=21)}},
            {"ends": {"host:21": START + timedelta(days=20)}},
            (Kind.EXPIRING, "host:21"),
        ),
        (
            {"heartbeats": {"PC-1": START - timedelta(minutes=15)}},
            {"heartbeats": {"PC-1": START - timedelta(minutes=16)}},
            (Kind.RUNNER_GONE, "PC-1"),
        ),
    ],
)
def test_each_kind_begins_at_its_limit(
    calm: dict[str, object], wrong: dict[str, object], alarm: tuple[Kind, str]
) -> None:
    """Just below the limit nothing is said; at it there is one alarm, about its subject; 0 switches a kind off."""
    assert kinds(Facts(START, **calm)) == []  # type: ignore[arg-type]
    facts = Facts(START, **wrong)  # type: ignore[arg-type]
    assert kinds(facts) == [alarm]
    off = Limits(0, 0, 0, 0, False, 0, 0)
    assert decide(facts, off) == []


def test_what_is_counted_ends_at_four_fifths() -> None:
    """A waiting list that goes up and down around its limit is one alarm, not twenty; so is a disk."""
    waits, disk = (Kind.WAITING, ""), (Kind.DISK_LOW, "D")
    assert kinds(Facts(START, waiting=40), waits) == [waits]
    assert kinds(Facts(START, waiting=39), waits) == []
    assert kinds(Facts(START, free={"D": 2 * GIB}), disk) == [disk]
    assert kinds(Facts(START, free={"D": 5 * GIB // 2}), disk) == []


class Book:
    """The alarms of a firm, kept by a test that makes up the facts."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm

    def note(self, facts: Facts) -> tuple[list[str], list[str]]:
        """Keep what follows; return the kinds that began and that ended."""
        with telling(self.firm) as lease:
            begun, over = alarms.note(self.firm, lease, facts, LIMITS)
        return [alarm.kind.value for alarm in begun], [alarm.kind.value for alarm in over]


def test_an_alarm_is_raised_once_and_told_again_when_it_ends(firm: Firm, clock: Clock) -> None:
    """However often it is looked at; each channel that is set is told both times."""
    firm.settings.set("alarms.mail_to", "anna@example.be")
    firm.settings.set("alarms.webhook", "https://example.be/x")
    book = Book(firm)
    for count, told in ((10, ([], [])), (60, (["waiting"], [])), (70, ([], [])), (3, ([], ["waiting"])), (3, ([], []))):
        clock.turn(minutes=1)
        assert book.note(Facts(clock(), waiting=count)) == told
        assert [alarm.told for alarm in alarms.every(firm)] == ([{"count": count}] if count >= 50 else [])
    (alarm,) = alarms.every(firm, START)
    assert (alarm.since, alarm.ended) == (START + timedelta(minutes=2), START + timedelta(minutes=4))
    assert alarms.every(firm, clock()) == []
    told = [(notice.event, notice.channel) for notice in alarms.due(firm)]
    assert told == [("raised", "mail"), ("raised", "webhook"), ("ended", "mail"), ("ended", "webhook")]


def test_what_cannot_be_found_out_changes_nothing(firm: Firm) -> None:
    """An alarm does not end because the server that would tell is away."""
    book = Book(firm)
    wrong = Facts(START, suspects=5, ends={"h:21": START}, free={"D": 0}, days={}, waiting=60)
    assert sorted(book.note(wrong)[0]) == ["disk_low", "expiring", "suspects", "waiting"]
    assert book.note(Facts(START, free={"D": None}, ends={"h:21": None})) == ([], [])
    assert book.note(Facts(START, free={"D": None})) == ([], [])
    well = Facts(START, suspects=0, ends={}, free={}, waiting=0)
    assert sorted(book.note(well)[1]) == ["disk_low", "expiring", "suspects", "waiting"]


def test_a_notice_that_fails_is_tried_again_with_growing_pauses_and_given_up(firm: Firm, clock: Clock) -> None:
    """After 1, 3, 9 minutes, … six hours; after twelve attempts it is left alone."""
    firm.settings.set("alarms.webhook", "https://example.be/x")
    Book(firm).note(Facts(START, waiting=60))
    waited = []
    while alarms.unsent(firm):
        minutes = 0
        while not alarms.due(firm):
            clock.turn(minutes=1)
            minutes += 1
        waited.append(minutes)
        with telling(firm) as lease:
            alarms.failed(firm, lease, alarms.due(firm)[0], "alarm.unreachable")
    assert waited == [0, 1, 3, 9, 27, 81, 243, 360, 360, 360, 360, 360]


def test_only_one_program_tells_at_a_time(firm: Firm) -> None:
    """The service and a look by hand never send the same message twice."""
    with telling(firm), pytest.raises(TemporaryFailure, match=r"designation\.tells_already"), telling(firm):
        pass


def run(firm: Firm, clock: Clock, lease: Lease, ends: list[str | None]) -> None:
    """Run a round for each of ``ends``, which fails with that code or goes well."""

    def one(_: Lease) -> Result:
        code = ends.pop(0)
        if code:
            raise TemporaryFailure(code, host="h", port=21)
        return Result()

    Rounds(firm, lease, [Source("ftp", "service.ftp", one)], wait=clock.wait, stopping=lambda: not ends).run()


def test_the_facts_are_those_of_the_firm(firm: Firm, clock: Clock) -> None:
    """Rounds that fail in a row, free space, waiting documents, passwords that end, and on which days dossiers sent."""
    firm.settings.set("mail.password_until", "2026-12-01")
    with running_rounds(firm) as lease:
        run(firm, clock, lease, [None, "session.unreachable", "session.unreachable"])
    with desk(firm) as at:
        at.deliver(("a.pdf", b"a"), number=None)
        at.deliver(("b.pdf", b"b"), number="000204")
    clock.turn(days=2)
    with desk(firm) as at:
        at.deliver(("c.pdf", b"c"), number="000204")
    facts = all_facts(firm, {"host:21": START}, lambda _: 3 * GIB)
    assert facts.failing == {"ftp": Failing(2, "session.unreachable")}
    assert facts.free == {str(firm.root): 3 * GIB, str(firm.home): 3 * GIB}
    assert (facts.waiting, facts.heartbeats) == (1, {})
    assert facts.ends == {"host:21": START, "mail.password_until": datetime(2026, 12, 1, tzinfo=START.tzinfo)}
    assert facts.days == {"000204": {START.date(), START.date() + timedelta(days=2)}}
    firm.settings.set("service.ftp", "no")
    dossiers.archive(firm, "000204")
    facts = all_facts(firm, {}, lambda _: 3 * GIB)
    assert (facts.failing, facts.days) == ({}, {})
    assert quick_facts(firm).free.keys() == facts.free.keys()


def test_one_good_round_ends_the_count(firm: Firm, clock: Clock) -> None:
    """Rounds count as failing in a row; one that was cut because the service stopped counts for nothing."""
    with running_rounds(firm) as lease:
        run(firm, clock, lease, ["session.unreachable"] * 4)
        assert rounds.statuses(firm)[0].failures == 4
        run(firm, clock, lease, ["rounds.stopped"])
        assert rounds.statuses(firm)[0].failures == 0
        run(firm, clock, lease, ["session.unreachable", None])
        assert rounds.statuses(firm)[0].failures == 0


def test_the_limits_are_settings(firm: Firm) -> None:
    """What is not set is as declared."""
    assert limits(firm) == Limits()
    firm.settings.set("alarms.waiting", "7")
    firm.settings.set("alarms.silent", "no")
    assert limits(firm) == replace(Limits(), waiting=7, silent=False)


@pytest.mark.parametrize("name", ["ftp.read_password_until", "mail.password_until"])
def test_the_end_of_a_password_is_a_day(firm: Firm, name: str) -> None:
    """Anything else is refused when it is set, not when it would matter."""
    with pytest.raises(PermanentFailure, match=r"setting\.bad_day"):
        firm.settings.set(name, "31/12/2026")
    firm.settings.set(name, "2026-12-31")


def test_a_runner_that_is_gone_is_known_from_its_lease(home: Path, firm: Firm, clock: Clock) -> None:
    """One that stopped by itself gave its lease back; one that went without a word did not, whoever looks."""
    with running_rounds(firm):
        assert quick_facts(firm).heartbeats == {}
    assert quick_facts(firm).heartbeats == {}
    with running_rounds(firm):
        clock.turn(minutes=16)
        with opened(home, clock, "PC-2") as other:
            facts = quick_facts(other)
            assert facts.heartbeats == {"PC-1": START}
            assert [one.kind for one in decide(facts, Limits(free_gib=0))] == [Kind.RUNNER_GONE]


def test_a_runner_that_died_on_this_machine_is_gone(firm: Firm, clock: Clock) -> None:
    """Its process is asked for: nothing need run out first."""
    with running_rounds(firm):
        with firm.database.write() as connection:
            connection.execute(update(tables.lease).values(process=2**22 - 1))
        assert quick_facts(firm).heartbeats == {"PC-1": clock()}
