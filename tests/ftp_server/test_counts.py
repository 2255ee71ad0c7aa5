"""What each account sent, and what was collected, day by day."""

import time
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from kept_aside import answered, collect, cut_off, deposit, told
from served import FIDUCIARY, PDF, serving
from sqlalchemy import insert

from ftp_server.counts import DayCount, counts, start_of
from ftp_server.database import Database
from ftp_server.server import database
from ftp_server.tables import deposits, suspects

WRITE = f"WRITE_{FIDUCIARY}"
BRUSSELS = ZoneInfo("Europe/Brussels")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def received(opened: Database, n: int, when: str, login: str = WRITE, collected: str | None = None) -> None:
    place = {"fiduciary": FIDUCIARY, "login": login, "folder": "/000204", "name": f"{n}.pdf", "peer": "127.0.0.1"}
    facts = {
        "retry_key": str(n),
        "sha256": "",
        "evidence": "end_mark",
        "collected_at": at(collected) if collected else None,
    }
    with opened.write() as connection:
        connection.execute(insert(deposits).values(id=str(n), size=n, received_at=at(when), **place, **facts))


@pytest.fixture
def opened(tmp_path: Path):
    made = database(tmp_path)
    yield made
    made.close()


def test_each_thing_on_its_own_day(opened: Database) -> None:
    """A deposit counts on the day it came, a collection on the day it was collected, in the zone's own days."""
    received(opened, 10, "2026-03-28T23:59:59.700+01:00", collected="2026-03-30T00:00:00+02:00")
    received(opened, 20, "2026-03-29T00:00:00+01:00")
    received(opened, 30, "2026-03-29T23:59:59.900+02:00", login=f"{WRITE}_000204")
    assert counts(opened, 0.0, zone=BRUSSELS) == [
        DayCount(date(2026, 3, 28), FIDUCIARY, WRITE, deposits=1, bytes=10),
        DayCount(date(2026, 3, 29), FIDUCIARY, WRITE, deposits=1, bytes=20),
        DayCount(date(2026, 3, 29), FIDUCIARY, f"{WRITE}_000204", deposits=1, bytes=30),
        DayCount(date(2026, 3, 30), FIDUCIARY, WRITE, collected=1),
    ]


def test_a_zone_with_quarters(opened: Database) -> None:
    """Days that begin at a quarter to an hour are counted right too."""
    received(opened, 1, "2026-06-01T18:14:59+00:00")
    received(opened, 2, "2026-06-01T18:15:00+00:00")
    nepal = timezone(timedelta(hours=5, minutes=45))
    assert [(each.day.day, each.bytes) for each in counts(opened, 0.0, zone=nepal)] == [(1, 1), (2, 2)]


def test_since_and_whose(opened: Database) -> None:
    """What happened before is not counted, and one account can be asked for."""
    received(opened, 1, "2026-06-01T12:00:00+00:00", collected="2026-06-02T12:00:00+00:00")
    received(opened, 2, "2026-06-02T12:00:00+00:00", login=f"{WRITE}_000204")
    found = counts(opened, at("2026-06-02T00:00:00+00:00"), zone=UTC)
    assert [(each.login, each.deposits, each.collected) for each in found] == [
        (WRITE, 0, 1),
        (f"{WRITE}_000204", 1, 0),
    ]
    assert counts(opened, 0.0, f"{WRITE}_000204", UTC) == [found[1]]


def test_a_suspect_without_a_sender(opened: Database) -> None:
    """What a stopped server was receiving has no account: it counts for the fiduciary."""
    facts = {"login": "", "folder": "/", "name": "a", "size": 5, "reason": "server_stopped", "peer": ""}
    with opened.write() as connection:
        connection.execute(insert(suspects).values(id="a", fiduciary=FIDUCIARY, received_at=0.0, **facts))
    assert counts(opened, 0.0, zone=UTC) == [DayCount(date(1970, 1, 1), FIDUCIARY, "", suspects=1)]


def test_the_first_of_the_last_days() -> None:
    """The last days begin at midnight of the zone, today being the last, also over a change of the clocks."""
    now = at("2026-03-30T15:00:00+02:00")
    assert start_of(1, now, BRUSSELS) == at("2026-03-30T00:00:00+02:00")
    assert start_of(3, now, BRUSSELS) == at("2026-03-28T00:00:00+01:00")
    assert start_of(1, now) <= now


def test_by_hand(tmp_path: Path) -> None:
    """The host sees in words or JSON what happened today."""
    assert answered(tmp_path, "counts").stdout == "Nothing was deposited or collected on those days.\n"
    with serving(tmp_path / "server") as served:
        today = datetime.fromtimestamp(time.time(), UTC).astimezone().date()
        deposit(served, "/000204/scan.pdf")
        collect(served, "/000204/scan.pdf")
        cut_off(served, "/000204/half.pdf")
    [counted] = told(tmp_path, "counts", "--days", "1", "--login", WRITE)
    amounts = {"deposits": 1, "bytes": len(PDF), "suspects": 1, "collected": 1}
    assert counted == {"day": today.isoformat(), "fiduciary": FIDUCIARY, "login": WRITE, **amounts}
    assert "deposits 1, doubtful 1, collected 1" in answered(tmp_path, "counts").stdout
    refused = answered(tmp_path, "counts", "--days", "0")
    assert (refused.returncode, "[server.bad_days]" in refused.stderr) == (2, True)
