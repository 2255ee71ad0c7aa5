"""The alarm for a disk that gets full: in the log and in the status, before the first deposit is refused."""

import json
import subprocess
from pathlib import Path

import pytest
from dialogue import logged_in
from navette_server import NavetteServer, navette
from served import PDF
from waiting import still, until

from ftp_server.disk_alarm import SCARCE, DiskAlarm
from ftp_server.room import FREE_SPACE


def test_warns_at_once_then_hourly_then_all_clear(caplog: pytest.LogCaptureFixture) -> None:
    """One warning when it begins, one more for each hour, one line when there is room again; none before."""
    caplog.set_level("INFO", "navette.server")
    alarm = DiskAlarm()
    for at, free in ((0, SCARCE), (10, SCARCE - 1), (20, 0), (3609, 0), (3610, 0), (3620, SCARCE), (3630, SCARCE)):
        alarm.look(free, at)
    assert [record.getMessage().split()[0] for record in caplog.records] == [
        "server.disk_scarce",
        "server.disk_scarce",
        "server.disk_enough",
    ]


def test_a_disk_that_gets_full(tmp_path: Path) -> None:
    """On a small disk the running server warns, the status says so, and deposits are still taken."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(disk)], check=True)
    try:
        server = NavetteServer(disk / "navette")
        server.add_accounts()
        server.start()
        try:
            until(lambda: "server.disk_scarce" in server.log.read_text(), 15, "the warning")
            warned = until(still(lambda: server.log.read_text().count("server.disk_scarce"), 3))  # several looks
            assert warned == 1
            found = json.loads(navette(server.home, "server", "status", "--json").stdout)
            assert found["disk_scarce"] is True
            assert FREE_SPACE < found["disk_free"] < SCARCE
            with logged_in(server) as session:
                assert session.store("scan.pdf", PDF)[:3] == "226"
        finally:
            server.stop()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
