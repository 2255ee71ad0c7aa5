"""Documents that get another name: once there, whatever dies meanwhile, and however often their device begins anew."""

import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dialogue import READ, Dialogue, Reachable, logged_in
from kept_aside import collect
from navette_server import NavetteServer
from served import PDF, Served, serving
from waiting import until

import ftp_server.server
from ftp_server.deposits import Deposits

TEMPORARY, FINAL = "/box/scan.tmp", "/box/scan.pdf"
STEPS = ("lifted", "recorded", "linked")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NavetteServer]:
    server = NavetteServer(tmp_path)
    server.add_accounts()
    start(server)
    try:
        yield server
    finally:
        server.stop()


def start(server: NavetteServer, kill_at: str | None = None) -> None:
    """Start it as one process: of several, those that outlive the first would still end their sessions properly."""
    server.start(kill_at, "--processes", "1")


def send(server: Reachable, name: str = TEMPORARY, then: str | None = None, data: bytes = PDF) -> str:
    """Send a document, and rename it; return the last reply."""
    with logged_in(server) as session:
        assert session.store(name, data)[:3] == "226"
        return rename(session, name, then) if then else ""


def rename(session: Dialogue, old: str, new: str) -> str:
    assert session.say(f"RNFR {old}")[:3] == "350"
    return session.say(f"RNTO {new}")


def hold_and_kill(server: NavetteServer, times: int = 1, kill_at: str | None = None, data: bytes = PDF) -> None:
    """Send under a temporary name, from several sessions, and kill the server before any of them renames."""
    sessions = [Dialogue(server) for _ in range(times)]
    for session in sessions:
        session.log_in()
        assert session.store(TEMPORARY, data)[:3] == "226"
    server.kill()
    for session in sessions:
        session.sock.close()
    start(server, kill_at)


def ids(server: NavetteServer) -> list[object]:
    return [row[0] for row in server.rows("select id from deposits")]


def test_published_by_a_start(server: NavetteServer) -> None:
    """What a start published under its temporary name gets its name once its device begins anew, and is there once."""
    hold_and_kill(server)
    assert server.published() == {"box/scan.tmp": PDF}
    first = ids(server)
    for _ in range(3):
        assert send(server, TEMPORARY, FINAL) == f'250 It is now "{FINAL}".'
        assert server.published() == {"box/scan.pdf": PDF}
    assert ids(server) == first
    hold_and_kill(server)
    assert server.published() == {"box/scan.pdf": PDF, "box/scan.tmp": PDF}  # nothing said that it is the same scan
    assert send(server, TEMPORARY, FINAL) == f'250 It is now "{FINAL}".'
    assert server.published() == {"box/scan.pdf": PDF}


def test_published_when_a_session_was_cut(server: NavetteServer) -> None:
    """The same is true of what was published because its session ended before the rename."""
    send(server)
    until(lambda: server.published() == {"box/scan.tmp": PDF}, 5, "the document")
    assert send(server, TEMPORARY, FINAL) == f'250 It is now "{FINAL}".'
    assert server.published() == {"box/scan.pdf": PDF}


def test_renamed_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an idle session let go of under its temporary name is renamed by it, and not doubled by a retry."""
    monkeypatch.setattr(ftp_server.server, "_HOLD", 0.1)
    monkeypatch.setattr(ftp_server.server, "_SWEEP", 0.1)
    with serving(tmp_path) as served:
        with logged_in(served) as session:
            session.store(TEMPORARY, PDF)
            until(lambda: served.published() != {}, 5, "the document")
            assert rename(session, TEMPORARY, FINAL)[:3] == "250"
        assert send(served, TEMPORARY, FINAL) == f'250 It is now "{FINAL}".'
        assert served.published() == {"box/scan.pdf": PDF}


def test_beside_a_taken_name(server: NavetteServer) -> None:
    """Where the name is another document's, the counter is the same at each retry."""
    send(server, FINAL, data=PDF + b"another%%EOF")
    hold_and_kill(server)
    for _ in range(2):
        assert send(server, TEMPORARY, FINAL) == '250 It is now "/box/scan(2).pdf".'
    assert server.published() == {"box/scan.pdf": PDF + b"another%%EOF", "box/scan(2).pdf": PDF}


def test_the_same_bytes_under_two_names(server: NavetteServer) -> None:
    """A temporary name used again says nothing: the same bytes renamed to two names are two documents, each once."""
    hold_and_kill(server)
    for name in ("/box/1.pdf", "/box/2.pdf", "/box/1.pdf", "/box/2.pdf"):
        assert send(server, TEMPORARY, name) == f'250 It is now "{name}".'
    assert server.published() == {"box/1.pdf": PDF, "box/2.pdf": PDF}


def test_another_folder(server: NavetteServer) -> None:
    """A rename to another folder finds it too, and to a folder that is a document's name lies beside it."""
    send(server, "/other", data=PDF + b"other%%EOF")
    hold_and_kill(server)
    assert send(server, TEMPORARY, "/other/scan.pdf")[:3] == "250"
    assert server.published() == {"other": PDF + b"other%%EOF", "other(2)/scan.pdf": PDF}


def test_collected_meanwhile(server: NavetteServer) -> None:
    """What READ collected under its temporary name is not published again: the retry is answered, and its receipt."""
    hold_and_kill(server)
    with logged_in(server, READ, tls=True) as session:
        assert session.say(f"DELE {TEMPORARY}")[:3] == "250"
    assert send(server, TEMPORARY, FINAL)[:3] == "250"
    assert server.published() == {}
    with logged_in(server) as session:
        assert "Collected: " in session.say("SITE RECEIPT scan.tmp")
    hold_and_kill(server)
    assert server.published() == {}


def test_held_twice(server: NavetteServer) -> None:
    """The same document held by two sessions, as after a lost connection, is published once by a start."""
    for _ in range(2):
        hold_and_kill(server, times=2)
        assert server.published() == {"box/scan.tmp": PDF}


def test_held_and_torn(server: NavetteServer) -> None:
    """A held file whose bytes are not those of its receipt any more is kept as suspect, retry or not."""
    hold_and_kill(server)
    with logged_in(server) as session:
        assert session.store(TEMPORARY, PDF)[:3] == "226"
        server.kill()
    staging = server.home / "server/fiduciaries/570013/staging"
    (held,) = (path for path in staging.rglob("*") if path.is_file())
    held.write_bytes(PDF[:500])
    start(server)
    assert server.published() == {"box/scan.tmp": PDF}
    assert server.rows("select id, reason from suspects") == [(held.name, "server_stopped")]


@pytest.mark.crash
@pytest.mark.parametrize("step", STEPS)
def test_killed_while_a_retry_renames(server: NavetteServer, step: str) -> None:
    """Killed at any step of the rename, the document is there once after the start, and once after the next retry."""
    hold_and_kill(server, kill_at=f"move.{step}")
    first = ids(server)
    with logged_in(server) as session:
        session.store(TEMPORARY, PDF)
        with pytest.raises((EOFError, ConnectionError)):
            rename(session, TEMPORARY, FINAL)
    server.stop()
    start(server)
    assert server.published() == {("box/scan.tmp" if step == "lifted" else "box/scan.pdf"): PDF}
    assert send(server, TEMPORARY, FINAL) == f'250 It is now "{FINAL}".'
    assert server.published() == {"box/scan.pdf": PDF}
    assert ids(server) == first


@pytest.mark.crash
@pytest.mark.parametrize("step", STEPS)
def test_killed_while_a_published_one_is_renamed(server: NavetteServer, step: str) -> None:
    """Killed while a session renames what it published, the document is there once, under one of its two names."""
    server.stop()
    start(server, f"move.{step}")
    with logged_in(server) as session:
        session.store("/a.pdf", PDF)
        with pytest.raises((EOFError, ConnectionError)):
            rename(session, "/a.pdf", "/b/b.pdf")
    server.stop()
    start(server)
    assert server.published() == {("a.pdf" if step == "lifted" else "b/b.pdf"): PDF}
    assert send(server, "/a.pdf", "/b/b.pdf")[:3] == "250"
    assert len(server.published()) == 1


@pytest.mark.crash
@pytest.mark.parametrize("step", ["lifted", "withdrawn"])
def test_killed_while_one_is_taken_back(server: NavetteServer, step: str) -> None:
    """Killed while a session deletes what it published, the document is as it was after the start, or in the trash."""
    server.stop()
    start(server, f"move.{step}")
    with logged_in(server) as session:
        session.store("/a.pdf", PDF)
        with pytest.raises((EOFError, ConnectionError)):
            session.say("DELE /a.pdf")
    server.stop()
    start(server)
    trash = server.home / "server/fiduciaries/570013/trash"
    there = [*server.published().values(), *(path.read_bytes() for path in trash.iterdir())]
    assert there == [PDF]
    assert server.published() == ({"a.pdf": PDF} if step == "lifted" else {})


def test_many_retries_at_once(server: NavetteServer) -> None:
    """Sessions of several processes that begin anew at the same moment leave one document, under one name."""
    hold_and_kill(server)
    first = ids(server)
    server.stop()
    server.start(None, "--processes", "2")
    with ThreadPoolExecutor(8) as devices:
        replies = list(devices.map(lambda _: send(server, TEMPORARY, FINAL), range(24)))
    assert set(replies) == {f'250 It is now "{FINAL}".'}
    assert server.published() == {"box/scan.pdf": PDF}
    assert ids(server) == first


def test_where_files_cannot_carry_receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be held, a document has its temporary name at once, and gets the other by whichever rename."""
    monkeypatch.setattr("ftp_server.staged._RECEIPT", "unknown.namespace")
    with serving(tmp_path) as served:
        send(served)
        assert served.published() == {"box/scan.tmp": PDF}
        for _ in range(2):
            assert send(served, TEMPORARY, FINAL) == f'250 It is now "{FINAL}".'
            assert served.published() == {"box/scan.pdf": PDF}


def test_a_name_that_is_not_temporary(server: NavetteServer) -> None:
    """A document renamed after it was published is found again under the name it had first, and stays as it is."""
    for _ in range(2):
        assert send(server, "/box/a.pdf", "/box/b.pdf") == '250 It is now "/box/b.pdf".'
        assert server.published() == {"box/b.pdf": PDF}
    with logged_in(server) as session:
        assert session.store("/box/c.pdf", PDF)[:3] == "226"
        assert rename(session, "/box/c.pdf", "/box/c.pdf") == '250 It is now "/box/c.pdf".'


def test_another_document_has_its_name(server: NavetteServer) -> None:
    """What a session deposited and READ collected is no longer its own to change, whoever has the name by now."""
    with logged_in(server) as session, logged_in(server) as other:
        for name in ("a.pdf", "b.pdf"):
            assert session.store(name, PDF)[:3] == "226"
            with logged_in(server, READ, tls=True) as collecting:
                assert collecting.say(f"DELE {name}")[:3] == "250"
            assert f'"/{name}"' in other.store(name, PDF + b"another%%EOF")
        assert session.say("DELE a.pdf")[:3] == "550"
        assert rename(session, "b.pdf", "c.pdf")[:3] == "550"
    assert server.published() == dict.fromkeys(("a.pdf", "b.pdf"), PDF + b"another%%EOF")


def test_another_document_has_its_old_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session whose document another one renamed does not take what has the old name by now for it."""
    monkeypatch.setattr(ftp_server.server, "_HOLD", 0.1)
    monkeypatch.setattr(ftp_server.server, "_SWEEP", 0.1)
    with serving(tmp_path) as served, logged_in(served) as session:
        session.store(TEMPORARY, PDF)
        until(lambda: served.published() != {}, 5, "the document")
        send(served, TEMPORARY, FINAL)
        send(served, TEMPORARY, data=PDF + b"another%%EOF")
        both = {"box/scan.pdf": PDF, "box/scan.tmp": PDF + b"another%%EOF"}
        until(lambda: served.published() == both, 5, "the other document")
        assert session.say(f"DELE {TEMPORARY}")[:3] == "550"
        assert rename(session, TEMPORARY, "/box/c.pdf")[:3] in {"250", "550"}
        assert sorted(served.published().values()) == sorted(both.values())
        assert served.published()["box/scan.tmp"] == PDF + b"another%%EOF"


class Collecting:
    """READ in the middle of a removal: it has found the document, and goes on when it is told to."""

    def __init__(self, served: Served, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may, self.found, noted = threading.Event(), threading.Event(), Deposits.collected

        def collected(deposits: Deposits, *facts: object) -> None:
            self.found.set()
            assert self.may.wait(10)
            noted(deposits, *facts)  # type: ignore[arg-type]

        monkeypatch.setattr(Deposits, "collected", collected)
        self.thread = threading.Thread(target=collect, args=(served, path))
        self.thread.start()
        assert self.found.wait(10)

    def end(self) -> None:
        """Let it go on to its end."""
        self.may.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.mark.parametrize("step", [*STEPS, "afterwards"])
def test_collected_during_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """What READ removes under its old name while it is renamed is collected once: it lies in the trash, and no more."""
    collecting: list[Collecting] = []

    def reached(each: str) -> None:
        if each == f"move.{step}":
            collecting[0].end()

    with serving(tmp_path, reached) as served:
        with logged_in(served) as session:
            session.store("/a.pdf", PDF)
            collecting.append(Collecting(served, "/a.pdf", monkeypatch))
            rename(session, "/a.pdf", "/b.pdf")
            collecting[0].end()
        assert served.published() == {}
        (trashed,) = (served.folder / "trash").iterdir()
        assert trashed.read_bytes() == PDF
        assert served.staged() == []


def test_a_retry_costs_no_other_sender(server: NavetteServer) -> None:
    """A temporary name whose document has got its name is forgotten by all processes: its next use need not wait."""
    server.stop()
    server.start(None, "--processes", "2")
    send(server)
    until(lambda: server.published() == {"box/scan.tmp": PDF}, 5, "the document")
    send(server, TEMPORARY, FINAL)
    began = time.monotonic()
    for n in range(8):
        send(server, TEMPORARY, f"/box/{n}.pdf")
    assert time.monotonic() - began < 8
    assert len(server.published()) == 9


def test_the_trash_has_what_a_start_lets_go_of(tmp_path: Path) -> None:
    """A held probe that was deleted as the server died is in the trash after the start."""
    with serving(tmp_path) as served, served.session() as ftp:
        passwords = served.passwords
        ftp.storbinary("STOR probe.txt", io.BytesIO(b"test"))
        (held,) = served.staged()
        data = held.read_bytes()
        ftp.delete("probe.txt")
        (served.folder / "trash" / held.name).rename(held)
    with serving(tmp_path, passwords=passwords) as served:
        assert (served.published(), served.staged()) == ({}, [])
        assert (served.folder / "trash" / held.name).read_bytes() == data
