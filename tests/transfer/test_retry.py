"""Trying again, without ever waiting in a test."""

import pytest

from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.retry import pauses, retrying


def attempt(*outcomes: Exception | str) -> tuple[list[float], str | Exception]:
    """Return the pauses made and what came of it when the action answers so, one outcome after the other."""
    left, waited = list(outcomes), list[float]()

    def action() -> str:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    try:
        return waited, retrying(action, waited.append)
    except Exception as error:  # noqa: BLE001 - any error is an outcome here
        return waited, error


BUSY = TemporaryFailure("session.busy")
REFUSED = PermanentFailure("session.login_refused")


@pytest.mark.parametrize(
    ("outcomes", "waited", "result"),
    [
        (["ok"], [], "ok"),
        ([BUSY, "ok"], [5], "ok"),
        ([BUSY, BUSY, "ok"], [5, 15], "ok"),
        ([BUSY, BUSY, BUSY], [5, 15], BUSY),
        ([REFUSED], [], REFUSED),
        ([BUSY, REFUSED], [5], REFUSED),
    ],
)
def test_only_temporary_failures_are_tried_again(
    outcomes: list[Exception | str], waited: list[float], result: Exception | str
) -> None:
    """Three attempts with growing pauses for what may pass; a refusal is never tried again."""
    assert attempt(*outcomes) == (waited, result)


def test_pauses_grow_to_a_limit() -> None:
    """Pauses grow threefold up to a quarter of an hour."""
    assert list(pauses(8)) == [5, 15, 45, 135, 405, 900, 900]
    assert list(pauses(1)) == []
