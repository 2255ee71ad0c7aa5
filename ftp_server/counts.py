"""Counts what each account sent and what was collected, day by day; never looks at a file."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, literal, select, union_all

from ftp_server.database import Database
from ftp_server.tables import deposits, suspects

_QUARTER = 900
"""Seconds in a quarter of an hour: every time zone begins its days at one, so SQL adds up quarters of any zone."""


@dataclass(frozen=True)
class DayCount:
    """What happened on one day to one account's documents; ``login`` is empty where a stopped server did not keep it.

    ``collected`` counts by the day of the collection, ``deposits``, ``bytes`` and ``suspects`` by that of the arrival.
    """

    day: date
    fiduciary: str
    login: str
    deposits: int = 0
    bytes: int = 0
    suspects: int = 0
    collected: int = 0


def counts(database: Database, since: float, login: str | None = None, zone: tzinfo | None = None) -> list[DayCount]:
    """Return the counts from ``since`` on (seconds since 1970 UTC), by day of ``zone`` or here, then account."""
    received, doubted, collected = deposits.c.received_at, suspects.c.received_at, deposits.c.collected_at
    own, doubtful = (deposits.c.fiduciary, deposits.c.login), (suspects.c.fiduciary, suspects.c.login)
    parts = [
        select(*own, _quarter(received), *_amounts(1, deposits.c.size, 0, 0)).where(received >= since),
        select(*doubtful, _quarter(doubted), *_amounts(0, 0, 1, 0)).where(doubted >= since),
        select(*own, _quarter(collected), *_amounts(0, 0, 0, 1)).where(collected >= since),
    ]
    if login is not None:
        parts = [part.where(part.selected_columns["login"] == login) for part in parts]
    every = union_all(*parts).subquery()
    keys = [every.c.fiduciary, every.c.login, every.c.quarter]
    sums = [func.sum(every.c[name]) for name in ("deposits", "bytes", "suspects", "collected")]
    with database.read() as connection:
        rows = connection.execute(select(*keys, *sums).group_by(*keys)).all()
    days: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for fiduciary, account, quarter, *amounts in rows:
        total = days[_day(quarter, zone), fiduciary, account]
        total[:] = [before + int(amount) for before, amount in zip(total, amounts, strict=True)]
    return [DayCount(*key, *amounts) for key, amounts in sorted(days.items())]


def start_of(days: int, now: float, zone: tzinfo | None = None) -> float:
    """Return when the first of the last ``days`` days began, today being the last, in seconds since 1970 UTC."""
    first = datetime.combine(_day(int(now), zone) - timedelta(days=days - 1), time(), zone)
    return first.timestamp()


def _day(seconds: int, zone: tzinfo | None) -> date:
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone).date()


def _quarter(at: ColumnElement[float]) -> ColumnElement[int]:
    """Cut a time down to its quarter of an hour: to make it whole, SQLite cuts and PostgreSQL rounds."""
    near = cast(at, BigInteger)
    whole = near - case((near > at, 1), else_=0)
    return (whole - whole % _QUARTER).label("quarter")


def _amounts(
    deposited: int, size: int | ColumnElement[int], doubted: int, collected: int
) -> tuple[ColumnElement[int], ...]:
    named = {"deposits": deposited, "bytes": size, "suspects": doubted, "collected": collected}
    return tuple(
        (literal(amount, BigInteger) if isinstance(amount, int) else amount).label(name)
        for name, amount in named.items()
    )
