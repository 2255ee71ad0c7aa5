"""``navette server status``: what is told of a server that runs, that was killed, or that never ran."""

import ftplib
import json
import os
import time
from pathlib import Path

import pytest
from dialogue import Dialogue
from navette_server import NavetteServer, navette
from served import serving
from sqlalchemy import insert
from waiting import until

import ftp_server.login
import ftp_server.server
from ftp_server.bans import TRIES
from ftp_server.database import Database
from ftp_server.server import database
from ftp_server.status import status
from ftp_server.tables import deposits
from ftp_server.tally import all_told
from navette.cli import main
from transfer.language import LANGUAGES

PDF = b"%PDF-1.4\n" + b"a page " * 1000 + b"\n%%EOF\n"
WRITE = "WRITE_570013"
OLD = 1_700_000_000.0


def told(home: Path, code: int = 0) -> dict[str, object]:
    """Run the command, which must end with ``code``, and return its JSON."""
    ended = navette(home, "server", "status", "--json", check=False)
    assert ended.returncode == code, ended.stderr
    found = json.loads(ended.stdout)
    assert isinstance(found, dict)
    return found


def summed(found: dict[str, object], key: str) -> int:
    """Return a number of all processes together."""
    rows = found["processes"]
    assert isinstance(rows, list)
    return sum(row[key] for row in rows)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_running_server_tells(tmp_path: Path, processes: int) -> None:
    """Sessions now, and deposits, bytes and refused logins since the start, are told of all processes together."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start(None, "--processes", str(processes))
    try:
        with ftplib.FTP() as one, ftplib.FTP() as other:
            one.connect("127.0.0.1", server.port, timeout=20)
            one.login(WRITE, server.passwords[WRITE])
            with one.transfercmd("STOR /scan.pdf") as sock:
                sock.sendall(PDF)
            assert one.voidresp().startswith("226")
            other.connect("127.0.0.1", server.port, timeout=20)
            for _ in range(2):
                with pytest.raises(ftplib.error_perm, match="530"):
                    other.login(WRITE, "wrong")
            found = until(
                lambda: summed(row := told(server.home), "failed_logins") == 2 and row, 20, "the processes to tell"
            )
        assert isinstance(found, dict)
        assert (found["running"], found["sessions"], found["logged_in"], found["transfers"]) == (True, 2, 1, 0)
        assert found["to_reload"] is False
        assert found["fingerprint"] == server.fingerprint
        row = found["server"]
        assert isinstance(row, dict)
        assert (row["pid"], row["port"], row["processes"]) == (server.pid, str(server.port), str(processes))
        assert [summed(found, key) for key in ("deposits", "bytes", "failed_logins")] == [1, len(PDF), 2]
        documents = found["documents"]
        assert isinstance(documents, dict)
        assert [documents[key] for key in ("waiting", "waiting_bytes", "suspects", "today")] == [1, len(PDF), 0, 1]
        assert time.time() - 60 < documents["last"] < time.time()
        ended = until(lambda: (row := told(server.home))["sessions"] == 0 and row, 20, "the sessions to be gone")
        assert isinstance(ended, dict)
        assert summed(ended, "failed_logins") == 2
    finally:
        server.stop()
    assert list((server.home / "server" / "running").iterdir()) == []
    assert told(server.home, 1)["running"] is False


def test_logins_that_a_ban_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only logins whose password was looked at count as failed; those that a ban refused unread are told apart."""
    monkeypatch.setattr(ftp_server.login, "_FAILED_PAUSE", 0.1)
    monkeypatch.setattr(ftp_server.server, "_SWEEP", 0.2)
    with serving(tmp_path) as served:
        for count in (TRIES, 4):
            for _ in range(count):
                with Dialogue(served, "127.0.0.66") as session:
                    assert session.log_in(password="wrong")[:3] == "530"
        until(lambda: (row := all_told(tmp_path, 0)[0]).failed_logins + row.banned_logins == TRIES + 4, what="all")
        (row,) = all_told(tmp_path, 0)
        assert (row.failed_logins, row.banned_logins) == (TRIES, 4)


def test_a_killed_server_does_not_run(navette_server: NavetteServer) -> None:
    """What a killed server told is not believed, not even when its number belongs to another program by now."""
    path = navette_server.home / "server" / "running" / "server.json"
    navette_server.kill()
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row | {"pid": os.getpid()}))
    found = told(navette_server.home, 1)
    assert (found["running"], found["processes"], found["sessions"]) == (False, [], 0)
    navette_server.start()
    assert told(navette_server.home)["running"] is True


def test_nothing_there(tmp_path: Path) -> None:
    """A home in which no server ever ran is told as such, and is not made by asking."""
    found = told(tmp_path / "home", 1)
    assert (found["running"], found["documents"], found["disk_free"], found["fingerprint"]) == (False, None, None, None)
    assert not (tmp_path / "home").exists()


def fill(opened: Database, count: int, at: float) -> None:
    """Record documents that came at a time, each second one collected."""
    row = {"fiduciary": "570013", "login": WRITE, "folder": "/", "size": 10, "sha256": "", "peer": "", "evidence": ""}
    rows = [
        row
        | {"id": f"{at}-{number}", "retry_key": f"{number}", "name": f"{number}", "received_at": at}
        | {"collected_at": at if number % 2 else None}
        for number in range(count)
    ]
    with opened.write() as connection:
        connection.execute(insert(deposits), rows)


def test_what_the_database_counts(tmp_path: Path) -> None:
    """Documents of earlier days wait like those of today, and only those of today count as today's."""
    opened = database(tmp_path)
    now = time.time()
    fill(opened, 4, OLD)
    fill(opened, 3, now)
    opened.close()
    counts = status(tmp_path, now).counts
    assert counts
    assert (counts.waiting, counts.waiting_bytes, counts.today, counts.last) == (4, 40, 3, now)
    for path in tmp_path.glob("server.db*"):
        path.write_bytes(b"no database")
    assert status(tmp_path, now).counts is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_status_is_read(navette_server: NavetteServer, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads lines in one's own language, and that a new certificate waits to be loaded."""
    words = ["--home", str(navette_server.home), "--language", language, "server"]
    until(lambda: all_told(navette_server.home / "server", 0), 20, "a process to tell")
    assert main([*words, "certificate", "renew"]) == 0
    capsys.readouterr()
    assert main([*words, "status"]) == 0
    said = capsys.readouterr().out
    assert f"127.0.0.1:{navette_server.port}" in said
    assert "navette server reload" in said
    assert not [sign for sign in ("{", "status.") if sign in said]
    navette_server.stop()
    assert main([*words, "status"]) == 1
    assert f"127.0.0.1:{navette_server.port}" not in capsys.readouterr().out
