"""Sessions that overtake each other, a server that is frozen, a clock that jumps: nothing is lost, doubled or torn."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from dialogue import READ, Dialogue, finish, logged_in
from navette_server import NavetteServer
from processes import descendants
from served import PDF, JumpingClock, serving
from waiting import until

import ftp_server.data_connection
import ftp_server.deposits
import ftp_server.receiving
from ftp_server.collect_view import CollectView

DAY = 86_400.0
TEXT = b"no format, no end mark " * 3000


def test_a_slower_removal_spares_the_next_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions of READ remove one document, and another gets its name in between: that one stays published."""
    with serving(tmp_path) as served:
        deposits = served.server._deposits
        collected = deposits.collected
        slow = iter([True])

        def overtaken(ids: Sequence[str], at: float) -> None:
            collected(ids, at)
            if next(slow, False):
                assert faster.say("DELE scan.pdf")[:3] == "250"
                assert writing.store("scan.pdf", PDF + b"\n")[:3] == "226"

        monkeypatch.setattr(deposits, "collected", overtaken)
        with (
            logged_in(served) as writing,
            logged_in(served, READ, tls=True) as slower,
            logged_in(served, READ, tls=True) as faster,
        ):
            assert writing.store("scan.pdf", PDF)[:3] == "226"
            assert slower.say("DELE scan.pdf")[:3] == "250"
            assert served.published() == {"scan.pdf": PDF + b"\n"}
            assert faster.fetch("RETR scan.pdf") == PDF + b"\n"
            assert slower.say("DELE scan.pdf")[:3] == "250"
        assert served.published() == {}
        assert sorted(path.read_bytes() for path in (served.folder / "trash").iterdir()) == [PDF, PDF + b"\n"]


@pytest.mark.parametrize("command", ["LIST sub", "NLST sub", "MLSD sub"])
def test_a_folder_that_goes_while_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    """A folder that the host removes between the command and the listing is listed as empty, without a fault."""
    listable = CollectView._listable

    def gone_then(view: CollectView, folder: tuple[str, ...]) -> Path:
        path = listable(view, folder)
        path.rmdir()
        return path

    with serving(tmp_path) as served, logged_in(served, READ, tls=True) as session:
        (served.folder / "files" / "sub").mkdir()
        monkeypatch.setattr(CollectView, "_listable", gone_then)
        assert session.fetch(command) == b""
    assert "session.failed" not in caplog.text


def test_a_sender_that_died_while_the_server_slept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that slept through the whole grace still looks whether the sender lives before it believes a file."""
    monkeypatch.setattr(ftp_server.receiving, "GRACE", -1.0)
    sessions: list[Dialogue] = []

    def reached(step: str) -> None:
        if step == "server.received":
            sessions[0].sock.close()

    with serving(tmp_path, reached) as served:
        with logged_in(served) as session:
            sessions.append(session)
            data = session.begin("STOR half.txt")
            data.sendall(TEXT)
            finish(data)
            until(served.suspects, 10, "the file to be put aside")
        assert served.suspects() == [TEXT]
        assert served.published() == {}


def test_a_data_connection_that_waited_while_the_server_slept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data connection that came in time is taken, though the server looks only after the time is over."""
    monkeypatch.setattr(ftp_server.data_connection, "OPENING", -1.0)
    with serving(tmp_path) as served, logged_in(served) as session:
        assert session.store("a.pdf", PDF)[:3] == "226"
        session.passive()
        session.send(b"STOR b.pdf\r\n")
        assert [session.reply()[:3] for _ in range(2)] == ["150", "425"]
        assert served.published() == {"a.pdf": PDF}


def test_a_retry_while_the_server_sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry is recognised though each look at the rows is a minute after the one before."""
    now = iter(range(0, 10_000_000, 60))
    with serving(tmp_path) as served, logged_in(served) as session:
        first = session.store("a.pdf", PDF)
        sleepy = SimpleNamespace(monotonic=lambda: float(next(now)), time=time.time)
        monkeypatch.setattr(ftp_server.deposits, "time", sleepy)
        assert session.store("a.pdf", PDF) == first
        assert served.published() == {"a.pdf": PDF}


def test_frozen_while_it_receives(tmp_path: Path) -> None:
    """Frozen again and again, with documents at every stage of their reception, the server goes on where it was."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start()
    wanted = {f"{n}-{k}.pdf": PDF + b"%% %d %d\n%%%%EOF\n" % (n, k) for n in range(6) for k in range(40)}

    def send(n: int) -> list[str]:
        with logged_in(server) as session:
            return [session.store(f"/frozen/{n}-{k}.pdf", wanted[f"{n}-{k}.pdf"])[:3] for k in range(40)]

    try:
        tree = [server.pid, *descendants(server.pid)]
        with ThreadPoolExecutor(6) as senders:
            under_way = [senders.submit(send, n) for n in range(6)]
            while not all(each.done() for each in under_way):
                for pid in tree:
                    os.kill(pid, signal.SIGSTOP)
                threading.Event().wait(0.4)
                for pid in tree:
                    os.kill(pid, signal.SIGCONT)
                threading.Event().wait(0.1)
            assert all(each.result() == ["226"] * 40 for each in under_way)
        assert server.published("frozen") == wanted
        until(lambda: server.rows("select count(*) from deposits") == [(len(wanted),)], 10, "the rows")
    finally:
        server.stop()


@pytest.mark.parametrize("jump", [365 * DAY, -365 * DAY, 3600.0, -3600.0])
def test_a_clock_that_jumps(tmp_path: Path, jump: float, caplog: pytest.LogCaptureFixture) -> None:
    """Documents that were sent, held and sent again around a jump are there once each, with their receipts."""
    clock = JumpingClock()
    with serving(tmp_path / "server", clock=clock) as served, logged_in(served) as session:
        assert session.store("before.pdf", PDF)[:3] == "226"
        assert session.store("held.tmp", PDF + b"\n")[:3] == "226"
        sock = session.data(session.passive())
        assert session.say("STOR during.pdf")[:3] == "150"
        sock.sendall(PDF)
        clock.ahead = jump
        sock.sendall(b"\n\n")
        sock.close()
        assert session.reply()[:3] == "226"
        assert session.say("RNFR held.tmp")[:3] == "350"
        assert session.say("RNTO held.pdf")[:3] == "250"
        if jump < DAY:  # a year later it is another document
            assert session.store("before.pdf", PDF)[:3] == "226"
        assert session.store("after.pdf", PDF)[:3] == "226"
        assert "Receipts" in session.say("SITE RECEIPT during.pdf")
        assert set(served.published()) == {"before.pdf", "during.pdf", "held.pdf", "after.pdf"}
        with served.collecting() as ftp:
            for name in ftp.nlst():
                ftp.delete(name)
        assert served.published() == {}
    assert "Traceback" not in caplog.text
