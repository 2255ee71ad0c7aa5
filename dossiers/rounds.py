"""Runs the rounds of all sources every N minutes until it is told to stop; never knows what a source is."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from dossiers import tables
from dossiers.designation import LOST, Lease
from dossiers.firm import Firm
from dossiers.settings import store, stored
from transfer.failures import Failure, TemporaryFailure
from transfer.retry import Wait

_LOOK = 5.0  # seconds between two looks at whether to stop, or whether someone asks for a round at once
_ASKED = "service.asked"
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
    """A kind of source: its name, the setting that switches it on, and its round."""

    name: str
    switch: str
    run: Callable[[Lease], Result]


@dataclass(frozen=True)
class Status:
    """The last round of a source, and when the next is due; ``ended`` is None while it runs, ``failure`` a code."""

    source: str
    started: datetime
    ended: datetime | None
    result: Result
    failure: str | None
    next: datetime | None


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
    ) -> None:
        self._firm = firm
        self._lease = lease
        self._sources = sources
        self._wait = wait
        self._stopping = stopping
        self._report = report

    def run(self) -> None:
        """Run round after round until told to stop, or until the lease is lost (``designation.lost``)."""
        while not self._stopping():
            try:
                self._once_and_pause()
            except TemporaryFailure as failure:  # the database was away: it may be back at the next look
                _log.warning("rounds %s", failure)
                self._wait(_LOOK)

    def _once_and_pause(self) -> None:
        asked = self._asked()
        self.once()
        due = self._due()
        while not self._stopping() and self._firm.clock() < due and self._asked() == asked:
            self._wait(min(_LOOK, (due - self._firm.clock()).total_seconds()))
            self._lease.keep()

    def once(self) -> None:
        """Run one round of each source that is switched on; one that fails keeps no other back."""
        for source in self._sources:
            if not self._stopping() and self._firm.settings.switch(source.switch):
                self._one(source)

    def _one(self, source: Source) -> None:
        started = self._firm.clock()
        result, why, code = Result(), None, None
        try:
            self._keep(Status(source.name, started, None, result, None, None))
            result = source.run(self._lease)
        except Failure as failure:
            if failure.code == LOST:
                raise
            why, code = failure, failure.code
            _log.warning("round source=%s %s", source.name, failure)
        except Exception:  # noqa: BLE001  the next round must still run, whatever this one met
            code = "rounds.unexpected"
            _log.exception("round source=%s %s", source.name, code)
        status = Status(source.name, started, self._firm.clock(), result, code, self._due())
        self._keep(status)
        self._report(status, why)

    def _due(self) -> datetime:
        return self._firm.clock() + timedelta(minutes=self._firm.settings.number("service.minutes"))

    def _keep(self, status: Status) -> None:
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(delete(_rounds).where(_rounds.c.source == status.source))
            values = {"source": status.source, "started": status.started, "ended": status.ended}
            values |= {"failure": status.failure, "next": status.next, **vars(status.result)}
            connection.execute(insert(_rounds).values(values))

    def _asked(self) -> str | None:
        with self._firm.database.read() as connection:
            return stored(connection, _ASKED)


def ask_at_once(firm: Firm) -> None:
    """Ask the service, on whatever machine it runs, for a round at once."""
    with firm.database.write() as connection:
        store(connection, _ASKED, firm.clock().isoformat())


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
        )
        for row in rows
    ]
