"""How fast an upload goes, and how long it will still take."""

from uploader.pace import Pace


def paced(*seen: tuple[float, int]) -> Pace:
    pace = Pace()
    for now, done in seen:
        pace.add(now, done)
    return pace


def test_nothing_is_said_too_early() -> None:
    """Before two seconds have passed, neither speed nor time is told."""
    pace = paced((0, 0), (1, 1_000_000))
    assert pace.rate() is None
    assert pace.remaining(5) is None


def test_speed_is_that_of_the_last_seconds() -> None:
    """A slow start is forgotten: what counts are the last seconds."""
    pace = paced(*((second, 0) for second in range(60)), *((60 + second, 100 * second) for second in range(1, 20)))
    assert pace.rate() == 100
    assert pace.remaining(1_000) == 10


def test_a_standstill_tells_no_end() -> None:
    """While nothing moves, no time is promised."""
    pace = paced(*((second, 500) for second in range(20)))
    assert pace.rate() == 0
    assert pace.remaining(1_000) is None
