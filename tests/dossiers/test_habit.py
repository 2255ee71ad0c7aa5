"""When a dossier is silent against its own habit: days that a test makes up, and nothing else."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossiers.habit import silent_days, usual_pause

FIRST = date(2026, 1, 5)  # a Monday


def sent(*pauses: int, times: int = 1) -> list[date]:
    """Return the days on which something came, with these pauses between them, again and again."""
    days = [FIRST]
    for pause in pauses * times:
        days.append(days[-1] + timedelta(days=pause))
    return days


DAILY = sent(1, 1, 1, 1, 3, times=15)
WEEKLY = sent(7, times=20)
MONTHLY = sent(31, 28, 31, 30, 31, 30, 31, 31, 30)
BURSTS = sent(1, 1, 28, times=8)


@pytest.mark.parametrize(
    ("days", "usual", "quiet"), [(DAILY, 3, 7), (WEEKLY, 7, 13), (MONTHLY, 31, 49), (BURSTS, 28, 45)]
)
def test_a_dossier_is_silent_one_and_a_half_usual_pauses_and_three_days(
    days: list[date], usual: int, quiet: int
) -> None:
    """A daily sender is missed after a week, a weekly one after a fortnight, a monthly one after seven weeks."""
    assert usual_pause(days) == usual
    assert silent_days(days, days[-1] + timedelta(days=quiet)) is None
    assert silent_days(days, days[-1] + timedelta(days=quiet + 1)) == quiet + 1


def test_a_holiday_and_an_illness_do_not_become_the_habit() -> None:
    """The two longest pauses are left out, so that a weekly sender is missed as soon as before."""
    assert usual_pause(sent(*[7] * 8, 28, *[7] * 8, 21, 7)) == 7


@pytest.mark.parametrize(
    "days",
    [
        [],
        [FIRST],
        sent(7, times=7),  # seven pauses only
        sent(1, times=40),  # for six weeks only
        sent(1, 2, 1, 40, 1, 3, 25, 1, 2, 60, 1, 1),  # now after a day, now after a month
        sent(90, times=9),  # so rarely that no habit would be told in time
    ],
)
def test_a_young_or_irregular_dossier_is_never_missed(days: list[date]) -> None:
    """Without a habit there is no silence against it, however long nothing comes."""
    assert silent_days(days, FIRST + timedelta(days=5000)) is None


@given(st.lists(st.dates(date(2026, 1, 1), date(2027, 2, 1)), max_size=80), st.randoms())
def test_the_days_may_come_in_any_order_and_more_than_once(days: list[date], chance: object) -> None:
    """What counts is on which days something came."""
    shuffled = days * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert usual_pause(shuffled) == usual_pause(sorted(set(days)))


@given(st.lists(st.integers(1, 40), min_size=8, max_size=60))
def test_nobody_is_missed_sooner_than_the_usual_pause(pauses: list[int]) -> None:
    """Within its usual pause a dossier is never called silent."""
    days = sent(*pauses)
    usual = usual_pause(days)
    if usual is not None:
        assert silent_days(days, days[-1] + timedelta(days=usual)) is None
