"""Runs the rounds of all sources every N minutes until it is told to stop; never knows what a source is."""

import enum
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from dossiers import tables
from dossiers.designation import LOST, Lease, holder
from dossiers.firm import Firm
from dossiers.settings import SWITCHES, store, stored
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.retry import Wait

_LOOK = 0.5  # seconds between two looks at whether to stop, or whether someone asks for a round at once
_GRACE = 60.0  # seconds that a round which was cut has to end
_STOP_GRACE = 10.0  # seconds that a round has to end by itself when it is told to stop, before it is cut
_ASKED = "service.asked"
STUCK = "rounds.stuck"
"""The failure of a round that could not even be cut: only the end of the program ends it."""

STOPPED = "rounds.stopped"
"""The end of a round that was cut because it did not end when it was told to stop: nobody's failure."""

_log = logging.getLogger("navette.rounds")
_rounds = tables.rounds


@dataclass(frozen=True)
class Result:
    """What one round did: documents delivered to dossiers, put on the waiting list, failed, and left for a pause."""

    delivered: int = 0
    waiting: int = 0
    failed: int = 0
    paused: int = 0


@dataclass(frozen=True)
class Source:
    """A kind of source: its name, the setting that ticks it, its round, and what breaks a round off from outside."""

    name: str
    switch: str
    run: Callable[[Lease], Result]
    cut: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Status:
    """The last round of a source, and when the next is due; ``ended`` is None while it runs, ``failure`` a code.

    ``failures`` counts how many rounds in a row ended early.
    """

    source: str
    started: datetime
    ended: datetime | None
    result: Result
    failure: str | None
    next: datetime | None
    failures: int = 0


class Pulse:
    """Tells a round that works from one that hangs: it beats whenever a document has come through or has failed."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def beat(self) -> None:
        """Say that something came through; from any thread."""
        self._last = time.monotonic()

    def seconds(self) -> float:
        """Return how long ago that was, by a clock that never jumps."""
        return time.monotonic() - self._last


class Rounds:
    """The rounds of one service. ``wait`` waits seconds, and returns early when ``stopping`` becomes true."""

    def __init__(
        self,
        firm: Firm,
        lease: Lease,
        sources: Sequence[Source],
        *,
        wait: Wait,
        stopping: Callable[[], bool],
        report: Callable[[Status, Failure | None], None] = lambda *_: None,
        pulse: Pulse | None = None,
        grace: float = _GRACE,
        stop_grace: float = _STOP_GRACE,
    ) -> None:
        self._firm = firm
        self._lease = lease
        self._sources = sources
        self._wait = wait
        self._stopping = stopping
        self._report = report
        self._pulse = pulse or Pulse()
        self._grace = grace
        self._stop_grace = stop_grace
        self._begun: str | None = None

    def run(self) -> None:
        """Run round after round until told to stop, or until the lease is lost (``designation.lost``)."""
        while not self._stopping():
            try:
                self._once_and_pause()
            except TemporaryFailure as failure:  # the database was away: it may be back at the next look
                _log.warning("rounds %s", failure)
                self._wait(_LOOK)

    def _once_and_pause(self) -> None:
        asked = self._asked() or ""
        if self._begun is None:
            self._begun = asked  # what was asked for before this service began is over
        if not self._paused() or asked != self._begun:
            self._begun = asked
            self.once()
        due = self._due()
        while not self._stopping() and (self._paused() or self._firm.clock() < due) and (self._asked() or "") == asked:
            self._wait(max(0.0, min(_LOOK, (due - self._firm.clock()).total_seconds())) or _LOOK)
            self._lease.keep()

    def once(self) -> None:
        """Run one round of each source that is switched on; one that fails keeps no other back."""
        for source in self._sources:
            if not self._stopping() and self._firm.settings.switch(source.switch):
                self.one(source)

    def one(self, source: Source) -> Status:
        """Run one round of a source, keep how it went for all to see, and return that.

        Raises only what ends the program: the lease is lost, or the round could not even be cut.
        """
        started = self._firm.clock()
        result, why, code, before = Result(), None, None, 0
        try:
            before = self._failures(source)
            self._keep(Status(source.name, started, None, result, None, None, before))
            result = self._watched(source)
        except Failure as failure:
            if failure.code == LOST:
                raise
            why, code = failure, failure.code
            _log.warning("round source=%s %s", source.name, failure)
        except Exception:  # noqa: BLE001  the next round must still run, whatever this one met
            code = "rounds.unexpected"
            _log.exception("round source=%s %s", source.name, code)
        failures = before + 1 if code and code != STOPPED else 0
        status = Status(source.name, started, self._firm.clock(), result, code, self._due(), failures)
        self._keep(status)
        self._report(status, why)
        if why is not None and why.code == STUCK:
            raise why
        return status

    def _watched(self, source: Source) -> Result:
        """Run a round in a thread of its own; cut it when nothing comes through for too long, or it does not stop.

        A round that hangs in the network ends when it is cut. One that hangs in a disk cannot be ended from inside:
        that is ``rounds.stuck``, after which the program must end.
        """
        minutes = self._firm.settings.number("service.deadline_minutes")
        ended: Future[Result] = Future()
        self._pulse.beat()
        threading.Thread(
            target=_run, args=(source, self._lease, ended), name=f"round-{source.name}", daemon=True
        ).start()
        while not wait([ended], _LOOK).done:
            told_to_stop = self._stopping()
            if told_to_stop and wait([ended], self._stop_grace).done:
                break
            if told_to_stop or self._pulse.seconds() > minutes * 60:
                source.cut()
                if wait([ended], self._grace).done and ended.exception() is None:
                    return ended.result()
                if not ended.done():
                    raise PermanentFailure("rounds.stuck", minutes=minutes)
                raise TemporaryFailure(STOPPED) if told_to_stop else TemporaryFailure("rounds.hung", minutes=minutes)
        return ended.result()

    def _paused(self) -> bool:
        return self._firm.settings.switch("service.paused")

    def _due(self) -> datetime:
        return self._firm.clock() + timedelta(minutes=self._firm.settings.number("service.minutes"))

    def _keep(self, status: Status) -> None:
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(delete(_rounds).where(_rounds.c.source == status.source))
            values = {"source": status.source, "started": status.started, "ended": status.ended}
            values |= {"failure": status.failure, "next": status.next, **vars(status.result)}
            values["failures"] = status.failures
            connection.execute(insert(_rounds).values(values))

    def _failures(self, source: Source) -> int:
        with self._firm.database.read() as connection:
            query = select(_rounds.c.failures).where(_rounds.c.source == source.name)
            return connection.execute(query).scalar() or 0

    def _asked(self) -> str | None:
        with self._firm.database.read() as connection:
            return stored(connection, _ASKED)


def _run(source: Source, lease: Lease, ended: "Future[Result]") -> None:
    try:
        ended.set_result(source.run(lease))
    except BaseException as error:  # noqa: BLE001  it is raised by whoever waits for the end
        ended.set_exception(error)


def ask_at_once(firm: Firm) -> None:
    """Ask the service, on whatever machine it runs, for a round at once."""
    with firm.database.write() as connection:
        store(connection, _ASKED, firm.clock().isoformat())


def asked_at(firm: Firm) -> datetime | None:
    """Return when somebody last asked for a round at once."""
    with firm.database.read() as connection:
        asked = stored(connection, _ASKED)
    return None if asked is None else datetime.fromisoformat(asked)


def statuses(firm: Firm) -> list[Status]:
    """Return the last round of each source."""
    with firm.database.read() as connection:
        rows = connection.execute(select(_rounds).order_by(_rounds.c.source)).all()
    return [
        Status(
            row.source,
            row.started,
            row.ended,
            Result(row.delivered, row.waiting, row.failed, row.paused),
            row.failure,
            row.next,
            row.failures,
        )
        for row in rows
    ]


def kind_of(source: str) -> str:
    """Return the kind of a source by its name: ``ftp`` of ``ftp:node2.example.be:21``."""
    return source.partition(":")[0]


def is_ticked(firm: Firm, source: str) -> bool:
    """Tell whether documents are collected from sources of this kind."""
    return firm.settings.switch(f"service.{kind_of(source)}")


class Turn(enum.StrEnum):
    """What the service is about to do."""

    RUNS = "runs"
    DUE = "due"
    PAUSED = "paused"
    NOTHING_TICKED = "nothing_ticked"
    STOPPED = "not_running"


def next_turn(firm: Firm) -> tuple[Turn, datetime | None]:
    """Return what the service is about to do, and when the next round is due if one is."""
    if holder(firm) is None:
        return Turn.STOPPED, None
    known = statuses(firm)
    if any(status.ended is None for status in known):
        return Turn.RUNS, None
    if firm.settings.switch("service.paused"):
        return Turn.PAUSED, None
    if not any(firm.settings.switch(name) for name in SWITCHES):
        return Turn.NOTHING_TICKED, None
    due = [status.next for status in known if status.next is not None]
    return Turn.DUE, max(due, default=firm.clock())
