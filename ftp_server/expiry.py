"""The day an account ends, as people write it; never reads the clock.

A day counts to its end where the server stands: an account that ends on 31 December logs in all that day.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

from transfer.failures import PermanentFailure

NEVER = ("", "never", "jamais", "nooit")
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{4})")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d(:\d\d)?)?")


def moment_of(text: str) -> float | None:
    """Return when an account ends, in seconds since 1970 UTC; None for ``never`` or nothing.

    Takes a day (2026-12-31, 31/12/2026) or a moment (2026-12-31T18:00, with or without +01:00).
    Raises ``account.bad_date``.
    """
    text = text.strip()
    if text.lower() in NEVER:
        return None
    try:
        if _MOMENT.fullmatch(text):
            return checked_moment(datetime.fromisoformat(text).astimezone().timestamp())
        found = _YEAR_FIRST.fullmatch(text) or _DAY_FIRST.fullmatch(text)
        if found:
            return checked_moment(_end_of(date(int(found["year"]), int(found["month"]), int(found["day"]))))
    except (ValueError, OverflowError, OSError):  # no such day, or none that this system can count to
        pass
    raise PermanentFailure("account.bad_date", text=text[:40])


def text_of(at: float | None) -> str:
    """Return what :func:`moment_of` reads as the same moment: a day if the account ends with one; empty for None."""
    if at is None:
        return ""
    local = datetime.fromtimestamp(at).astimezone()
    last_day = local.date() - timedelta(days=1)
    return last_day.isoformat() if _end_of(last_day) == at else local.isoformat()


def checked_moment(at: float | None) -> float | None:
    """Return a moment from 1970 to the year 9000, or None; refuse any other with ``account.bad_date``."""
    if at is not None and not 0 <= at < _LATEST:
        raise PermanentFailure("account.bad_date", text=str(at)[:40])
    return at


def _end_of(day: date) -> float:
    return datetime.combine(day + timedelta(days=1), time.min).astimezone().timestamp()
