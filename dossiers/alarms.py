"""Keeps the alarms: when each began and ended, and who is still to be told; never decides on one or sends anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from dossiers import tables
from dossiers.alarm import Facts, Kind, Limits, decide, ended
from dossiers.designation import Lease
from dossiers.firm import Firm

ATTEMPTS = 12
"""How often a notice is tried, with pauses that grow from a minute to six hours: for about two days."""

RAISED, ENDED = "raised", "ended"
"""What a notice tells of its alarm."""

CHANNELS: Mapping[str, str] = {"mail": "alarms.mail_to", "webhook": "alarms.webhook"}
"""The ways in which people are told, each with the setting that switches it on."""

_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
_alarms = tables.alarms
_notices = tables.alarm_notices


@dataclass(frozen=True)
class Alarm:
    """Something that is wrong, or was until ``ended``: its kind, what it is about, and what its sentence needs."""

    id: int
    kind: Kind
    subject: str
    told: Mapping[str, str | int]
    since: datetime
    ended: datetime | None = None

    @property
    def code(self) -> str:
        """The key of its sentence."""
        return f"alarm.{self.kind.value}"


@dataclass(frozen=True)
class Notice:
    """A message that tells of an alarm that it began or ended, on one channel; ``failure`` is why it failed last."""

    id: int
    alarm: Alarm
    event: str
    channel: str
    attempts: int
    sent: datetime | None
    failure: str | None


def every(firm: Firm, since: datetime | None = None) -> list[Alarm]:
    """Return the alarms that last, oldest first; with ``since`` also those that have ended from that moment on."""
    which: ColumnElement[bool] = _alarms.c.ended.is_(None)
    if since is not None:
        which = which | (_alarms.c.ended >= since)
    with firm.database.read() as connection:
        return _found(connection, which)


def note(firm: Firm, lease: Lease, facts: Facts, limits: Limits) -> tuple[list[Alarm], list[Alarm]]:
    """Keep what follows from the facts, with a notice on each channel for what is new; return what began and ended."""
    channels = [channel for channel, setting in CHANNELS.items() if firm.settings.text(setting)]
    with firm.database.write() as connection:
        lease.fence(connection)
        there = {(alarm.kind, alarm.subject): alarm for alarm in _found(connection, _alarms.c.ended.is_(None))}
        found = decide(facts, limits, there)
        over = [there[key] for key in sorted(ended(facts, found, there))]
        begun = []
        for one in found:
            told = json.dumps(dict(one.values))
            known = there.get((one.kind, one.subject))
            if known is None:
                values = {"kind": one.kind.value, "subject": one.subject, "told": told, "since": facts.now}
                (number,) = connection.scalars(insert(_alarms).returning(_alarms.c.id), [values])
                begun.append(Alarm(number, one.kind, one.subject, one.values, facts.now))
            elif known.told != one.values:
                connection.execute(update(_alarms).where(_alarms.c.id == known.id).values(told=told))
        if over:
            numbers = [alarm.id for alarm in over]
            connection.execute(update(_alarms).where(_alarms.c.id.in_(numbers)).values(ended=facts.now))
        start = {"attempts": 0, "next_try": facts.now}
        rows = [
            {"alarm": alarm.id, "event": event, "channel": channel, **start}
            for event, alarms in ((RAISED, begun), (ENDED, over))
            for alarm in alarms
            for channel in channels
        ]
        if rows:
            connection.execute(insert(_notices), rows)
    return begun, over


def due(firm: Firm) -> list[Notice]:
    """Return the notices that are to be sent now, in their order."""
    return _kept(firm, firm.clock())


def unsent(firm: Firm) -> list[Notice]:
    """Return the notices that are still to be sent, in their order."""
    return _kept(firm, datetime.max.replace(tzinfo=firm.clock().tzinfo))


def sent(firm: Firm, lease: Lease, notice: Notice) -> None:
    """Keep that a notice was sent: it is never sent again."""
    _change(firm, lease, notice, sent=firm.clock(), next_try=None, failure=None)


def failed(firm: Firm, lease: Lease, notice: Notice, code: str) -> None:
    """Keep why a notice could not be sent; it is tried again after a while, or given up."""
    attempts = notice.attempts + 1
    pause = min(_PAUSE * 3 ** min(notice.attempts, 9), _LONGEST_PAUSE)
    next_try = firm.clock() + pause if attempts < ATTEMPTS else None
    _change(firm, lease, notice, attempts=attempts, next_try=next_try, failure=code)


def _change(firm: Firm, lease: Lease, notice: Notice, **values: object) -> None:
    with firm.database.write() as connection:
        lease.fence(connection)
        connection.execute(update(_notices).where(_notices.c.id == notice.id).values(**values))


def _kept(firm: Firm, until: datetime) -> list[Notice]:
    query = select(_notices).where(_notices.c.next_try <= until).order_by(_notices.c.id)
    with firm.database.read() as connection:
        rows = connection.execute(query).all()
        alarms = {alarm.id: alarm for alarm in _found(connection, _alarms.c.id.in_({row.alarm for row in rows}))}
    return [
        Notice(row.id, alarms[row.alarm], row.event, row.channel, row.attempts, row.sent, row.failure) for row in rows
    ]


def _found(connection: Connection, which: ColumnElement[bool]) -> list[Alarm]:
    query = select(_alarms).where(which).order_by(_alarms.c.id)
    return [_alarm(row) for row in connection.execute(query)]


def _alarm(row: Row[tuple[object, ...]]) -> Alarm:
    return Alarm(row.id, Kind(row.kind), row.subject, json.loads(row.told), row.since, row.ended)
