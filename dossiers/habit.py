"""Reads a dossier's habit of sending from the days on which it sent; never sees one where it is young or irregular.

A habit is read from the pauses between the days of the last thirteen months on which a document came. The usual pause
is the third longest: the two longest are left out, since every firm has a holiday and an illness. It is a habit only if
there are eight pauses or more over sixty days or more, if it is at most two months, and if at least four pauses are
half as long or longer: a client who sends now after a day and now after a month has none. A dossier is silent once
its present pause is longer than one and a half usual ones and three days: a daily sender after eight days, a weekly one
after a fortnight, a monthly one after seven weeks.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

WINDOW = timedelta(days=400)
"""How far back the habit is looked for."""

_PAUSES = 8
_ALIKE = 4
_LEAST_DAYS = 60
_LONGEST_USUAL = 62
_LEFT_OUT = 2


def usual_pause(days: Iterable[date]) -> int | None:
    """Return the usual pause in days between the days on which documents came, or None where there is no habit."""
    known = sorted(set(days))
    pauses = sorted(((later - earlier).days for earlier, later in pairwise(known)), reverse=True)
    if len(pauses) < _PAUSES or (known[-1] - known[0]).days < _LEAST_DAYS:
        return None
    usual = pauses[_LEFT_OUT]
    alike = sum(2 * pause >= usual for pause in pauses)
    return usual if usual <= _LONGEST_USUAL and alike >= _ALIKE else None


def silent_days(days: Iterable[date], today: date) -> int | None:
    """Return for how many days a dossier has been silent against its own habit, or None while it is not."""
    known = sorted(set(days))
    usual = usual_pause(known)
    if usual is None:
        return None
    silent = (today - known[-1]).days
    return silent if silent > usual * 1.5 + 3 else None
