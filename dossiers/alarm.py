"""Decides from plain facts which alarms there are; never asks a database, a disk or a clock.

An alarm is about one subject of its kind (a source, a folder, a dossier). It begins once and ends once; what is counted
ends only at four fifths of the number at which it began, so that a number that goes up and down tells nobody twice.
"""

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dossiers.habit import silent_days

GIB = 2**30


class Kind(enum.StrEnum):
    """What can be wrong; the text ``alarm.<kind>`` says it."""

    SOURCE_FAILING = "source_failing"
    DISK_LOW = "disk_low"
    SUSPECTS = "suspects"
    WAITING = "waiting"
    SILENT = "silent"
    EXPIRING = "expiring"
    RUNNER_GONE = "runner_gone"
    TEST = "test"


@dataclass(frozen=True)
class Limits:
    """From which number on each kind is an alarm; 0 switches it off."""

    failing_rounds: int = 3
    free_gib: int = 2
    suspects: int = 1
    waiting: int = 50
    silent: bool = True
    days_before: int = 21
    runner_minutes: int = 15


@dataclass(frozen=True)
class Failing:
    """A source whose last rounds all ended early: how many, and the code of the last failure."""

    rounds: int
    failure: str


@dataclass(frozen=True)
class Facts:
    """What is so at ``now``; None stands for what could not be found out, so that an alarm about it stays as it is.

    ``free`` is bytes by folder; ``days`` the days on which each dossier received something, of the last
    :data:`dossiers.habit.WINDOW`; ``ends`` when certificates and passwords end, by what they are for; ``heartbeats``
    the last sign of life of each runner that has not stopped by itself, by its machine.
    """

    now: datetime
    failing: Mapping[str, Failing] = field(default_factory=dict)
    free: Mapping[str, int | None] = field(default_factory=dict)
    suspects: int | None = None
    waiting: int | None = None
    days: Mapping[str, Collection[date]] | None = None
    ends: Mapping[str, datetime | None] | None = None
    heartbeats: Mapping[str, datetime] = field(default_factory=dict)

    def tell_of(self, kind: Kind, subject: str) -> bool:
        """Tell whether these facts say anything about such an alarm."""
        whole: Mapping[Kind, object] = {
            Kind.SUSPECTS: self.suspects,
            Kind.WAITING: self.waiting,
            Kind.SILENT: self.days,
        }
        if kind in whole:
            return whole[kind] is not None
        if kind is Kind.DISK_LOW:
            return self.free.get(subject, 0) is not None
        return kind is not Kind.EXPIRING or (self.ends is not None and self.ends.get(subject, self.now) is not None)


@dataclass(frozen=True)
class Found:
    """An alarm there should be: its kind, what it is about, and the values its sentence needs."""

    kind: Kind
    subject: str
    values: Mapping[str, str | int] = field(default_factory=dict, compare=False)


def decide(facts: Facts, limits: Limits, there: Collection[tuple[Kind, str]] = ()) -> list[Found]:
    """Return the alarms there should be, given those that are ``there`` already."""
    found = [*_failing(facts, limits), *_disk(facts, limits, there), *_counts(facts, limits, there)]
    return [*found, *_silent(facts, limits), *_expiring(facts, limits), *_gone(facts, limits)]


def _failing(facts: Facts, limits: Limits) -> Iterator[Found]:
    for source, one in facts.failing.items():
        if limits.failing_rounds and one.rounds >= limits.failing_rounds:
            yield Found(Kind.SOURCE_FAILING, source, {"rounds": one.rounds, "failure": one.failure})


def _disk(facts: Facts, limits: Limits, there: Collection[tuple[Kind, str]]) -> Iterator[Found]:
    for folder, free in facts.free.items():
        enough = limits.free_gib * GIB
        if (Kind.DISK_LOW, folder) in there:
            enough = enough * 5 // 4
        if free is not None and free < enough:
            yield Found(Kind.DISK_LOW, folder, {"free": f"{free / GIB:.1f}"})


def _counts(facts: Facts, limits: Limits, there: Collection[tuple[Kind, str]]) -> Iterator[Found]:
    counted = ((Kind.SUSPECTS, facts.suspects, limits.suspects), (Kind.WAITING, facts.waiting, limits.waiting))
    for kind, count, most in counted:
        least = max(1, most * 4 // 5) if (kind, "") in there else most
        if count is not None and most and count >= least:
            yield Found(kind, "", {"count": count})


def _silent(facts: Facts, limits: Limits) -> Iterator[Found]:
    if not limits.silent:
        return
    for dossier, days in (facts.days or {}).items():
        silent = silent_days(days, facts.now.date())
        if silent is not None:
            yield Found(Kind.SILENT, dossier, {"days": silent})


def _expiring(facts: Facts, limits: Limits) -> Iterator[Found]:
    for subject, end in (facts.ends or {}).items():
        if end is not None and limits.days_before and end - facts.now < timedelta(days=limits.days_before):
            yield Found(Kind.EXPIRING, subject, {"day": f"{end:%Y-%m-%d}"})


def _gone(facts: Facts, limits: Limits) -> Iterator[Found]:
    for machine, last in facts.heartbeats.items():
        if limits.runner_minutes and facts.now - last > timedelta(minutes=limits.runner_minutes):
            yield Found(Kind.RUNNER_GONE, machine, {"moment": f"{last.astimezone():%Y-%m-%d %H:%M}"})


def ended(facts: Facts, found: Iterable[Found], there: Collection[tuple[Kind, str]]) -> set[tuple[Kind, str]]:
    """Return which of the alarms that are ``there`` have come to their end."""
    still = {(one.kind, one.subject) for one in found}
    return {one for one in there if one not in still and facts.tell_of(*one)}
