"""One round over a server that is not ours: what it takes, what it leaves, and what never happens."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from collecting import Collecting
from firm_rooms import DiedError, SmallDisk, contents, dies_at, folder
from plain_server import HANG_UP, PlainServer
from sample_documents import NAMES, pdf

from dossiers import failing, journal, waiting_list
from dossiers.rounds import Result
from fetcher.sessions import Sessions
from transfer.failures import PermanentFailure, TemporaryFailure

PDF = pdf("a page")


def page(which: object) -> bytes:
    """Return a PDF that no other is the same as."""
    return pdf(f"page {which}")


def test_documents_go_to_their_dossiers_and_leave_the_server(collecting: Collecting, server: PlainServer) -> None:
    """The first folder names the dossier, whatever is below it; files of no known dossier wait with their reason."""
    server.put("000204/a.pdf", PDF)
    server.put("000204/2026/purchases/b.pdf", page("b"))
    server.put("000205/a.pdf", page("c"))
    server.put("999999/d.pdf", page("d"))
    server.put("e.pdf", page("e"))
    assert collecting.round() == Result(delivered=3, waiting=2)
    assert contents(folder(collecting.firm)) == {"a.pdf": PDF, "b.pdf": page("b")}
    assert contents(folder(collecting.firm, "000205")) == {"a.pdf": page("c")}
    assert {document.path: document.reason for document in waiting_list.waiting(collecting.firm)} == {
        "/999999/d.pdf": "waiting.unknown_dossier",
        "/e.pdf": "waiting.no_dossier",
    }
    assert server.files() == {}
    assert collecting.round() == Result()


def test_whatever_a_file_is_called_it_arrives(collecting: Collecting, server: PlainServer) -> None:
    """Accents, emoji, twins, NFD, long names, bytes that are no UTF-8: each arrives once, under its own name."""
    names = [os.fsencode(name) for name in NAMES if len(name.encode()) < 250]
    names += [b"factur\xe9e.pdf", b"..\\..\\evil.pdf", b"CON.pdf", b"a:b?.pdf", b"-rf.pdf", b"dots...", b"%s%n.pdf"]
    (server.root / "000204").mkdir()
    for n, name in enumerate(names):
        with open(os.path.join(os.fsencode(server.root / "000204"), name), "wb") as file:
            file.write(b"%d" % n)
    assert collecting.round() == Result(delivered=len(names))
    stored = contents(folder(collecting.firm))
    assert sorted(stored.values()) == sorted(b"%d" % n for n in range(len(names)))
    assert len({name.casefold() for name in stored}) == len(names)
    assert {"facturée.pdf", "_CON.pdf"} <= set(stored)
    assert server.files() == {}


def test_files_without_bytes_are_documents(collecting: Collecting, server: PlainServer) -> None:
    """An empty file that stands still is delivered like any other."""
    server.put("000204/empty.txt", b"")
    assert collecting.round() == Result(delivered=1)
    assert contents(folder(collecting.firm)) == {"empty.txt": b""}


def test_a_file_that_still_grows_is_left_until_it_stands_still(collecting: Collecting, server: PlainServer) -> None:
    """Two looks ten seconds apart: what changed in between waits, and is delivered whole by a later round."""
    growing = server.put("000204/grows.txt", b"half")
    server.put("000204/stands.txt", b"whole")
    server.put("000204/b.pdf.part", b"of another program")

    def grow(seconds: float) -> None:
        collecting.clock.wait(seconds)
        growing.write_bytes(growing.read_bytes() + b" more")

    collecting.wait = grow
    assert collecting.round() == Result(delivered=1)
    assert collecting.clock.waited == [10]
    collecting.wait = collecting.clock.wait
    assert collecting.round() == Result(delivered=1)
    assert contents(folder(collecting.firm)) == {"stands.txt": b"whole", "grows.txt": b"half more"}
    assert server.files() == {"000204/b.pdf.part": b"of another program"}


def test_an_empty_server_is_not_waited_for(collecting: Collecting, server: PlainServer) -> None:
    """A round that finds nothing ends at once."""
    assert (collecting.round(), collecting.clock.waited, server.files()) == (Result(), [], {})


def test_half_a_file_is_left_and_told(collecting: Collecting, server: PlainServer) -> None:
    """A PDF without its end stays on the server as a failure, is tried again later, and delivered once whole."""
    half = server.put("000204/a.pdf", PDF[:-30])
    server.put("000204/b.pdf", PDF)
    assert collecting.round() == Result(delivered=1, failed=1)
    assert ("/000204/a.pdf", "fetch.torn") in collecting.told
    assert contents(folder(collecting.firm)) == {"b.pdf": PDF}
    assert collecting.round() == Result(), "the pause is over only after five minutes"
    collecting.clock.turn(minutes=5)
    assert collecting.round() == Result(failed=1)
    half.write_bytes(PDF)
    assert collecting.round() == Result()
    assert collecting.round(put_off=False) == Result(delivered=1)
    assert contents(folder(collecting.firm)) == {"a.pdf": PDF, "b.pdf": PDF}
    (document,) = {line.document for line in journal.latest(collecting.firm) if line.reason == "fetch.torn"}
    steps = [line.step.value for line in journal.of_document(collecting.firm, document)]
    assert steps == [*["discovered", "failed"] * 2, "discovered", "placing", "stored", "duplicate", "removed"]


def test_a_file_that_vanishes_before_it_is_fetched_stops_nobody(collecting: Collecting, server: PlainServer) -> None:
    """Another program took it: that is recorded, and the others are delivered."""
    gone = server.put("000204/gone.pdf", PDF)
    server.put("000204/here.pdf", PDF)

    def vanish(verb: str, path: str) -> None:
        if verb == "RETR" and path.endswith("gone.pdf"):
            gone.unlink()

    server.hook = vanish
    assert collecting.round() == Result(delivered=1, failed=1)
    assert collecting.round() == Result()
    (line,) = [line for line in journal.latest(collecting.firm) if line.step.value == "vanished"]
    assert [line.step.value for line in journal.of_document(collecting.firm, line.document)] == [
        "discovered",
        "failed",
        "vanished",
    ]


@pytest.mark.parametrize("reply", ["550 no", "450 in use", "451 disk error", HANG_UP])
def test_a_file_that_the_server_refuses_stops_nobody(collecting: Collecting, server: PlainServer, reply: str) -> None:
    """Whatever the server answers to one RETR, even by hanging up, the other files are delivered in the same round."""
    for n in range(30):
        server.put(f"000204/{n}.pdf", page(n))
    server.refuse("RETR", "/7.pdf", reply)
    assert collecting.round() == Result(delivered=29, failed=1)
    assert list(server.files()) == ["000204/7.pdf"]
    server.hook = lambda *_: None
    assert collecting.round(put_off=False) == Result(delivered=1)
    assert sorted(contents(folder(collecting.firm)).values()) == sorted(page(n) for n in range(30))


def test_a_file_that_cannot_be_removed_is_not_delivered_twice(collecting: Collecting, server: PlainServer) -> None:
    """The server keeps the file: it is told, removed later, and never fetched as a new document."""
    server.put("000204/a.pdf", PDF)
    server.refuse("DELE", "a.pdf")
    assert collecting.round() == Result(delivered=1, failed=1)
    assert ("/000204/a.pdf", "fetch.not_removed") in collecting.told
    assert collecting.round(put_off=False) == Result(failed=1)
    server.hook = lambda *_: None
    assert collecting.round(put_off=False) == Result()
    assert server.files() == {}
    assert contents(folder(collecting.firm)) == {"a.pdf": PDF}


def test_a_stored_file_that_cannot_be_looked_at_stops_nobody(collecting: Collecting, server: PlainServer) -> None:
    """The server neither removes a file nor gives it again: other files are delivered all the same."""
    server.put("000204/a.pdf", PDF)
    server.hook = lambda verb, path: "450 busy" if path.endswith("a.pdf") and verb == "DELE" else None
    assert collecting.round() == Result(delivered=1, failed=1)
    server.put("000204/b.pdf", PDF)
    server.hook = lambda verb, path: "450 busy" if path.endswith("a.pdf") and verb == "RETR" else None
    assert collecting.round(put_off=False) == Result(delivered=1, failed=1)
    server.hook = lambda *_: None
    assert collecting.round(put_off=False) == Result()
    assert contents(folder(collecting.firm)) == {"a.pdf": PDF, "b.pdf": PDF}
    assert server.files() == {}


@pytest.mark.parametrize("told", ["213 0", "213 7", "213 99999999999", "213 many", "550 no size"])
def test_a_server_that_lies_about_sizes_gets_no_half_file_and_loses_none(
    collecting: Collecting, server: PlainServer, told: str
) -> None:
    """What SIZE says is a hint: a document is delivered whole or stays, and arrives once when the lie is over."""
    whole = pdf("whole", padding=3000)
    server.put("000204/a.pdf", whole)
    server.hook = lambda verb, path: told if verb == "SIZE" and path.endswith("a.pdf") else None
    collecting.round()
    stored = list(contents(folder(collecting.firm)).values())
    assert stored in ([], [whole])
    assert list(server.files().values()) in ([], [whole])
    assert stored or server.files()
    server.hook = lambda *_: None
    collecting.round(put_off=False)
    assert list(contents(folder(collecting.firm)).values()) == [whole]
    assert server.files() == {}


def test_a_file_that_is_overwritten_while_it_is_fetched_is_not_removed(
    collecting: Collecting, server: PlainServer
) -> None:
    """A scanner that uses its name again just then loses nothing: the first page and the second are both delivered."""
    file = server.put("000204/SCN_0001.txt", b"first page")
    os.utime(file, (1_700_000_000, 1_700_000_000))

    def overwrite(verb: str, _: str) -> None:
        if verb == "SIZE" and any(heard == "RETR" for heard, _ in server.heard):  # stored, and not removed yet
            server.hook = lambda *_: None
            file.write_bytes(b"another page")

    server.hook = overwrite
    assert collecting.round() == Result(delivered=1, failed=1)
    assert collecting.told[-1] == ("/000204/SCN_0001.txt", "fetch.changed")
    assert server.files() == {"000204/SCN_0001.txt": b"another page"}
    assert collecting.round() == Result(delivered=1)
    assert contents(folder(collecting.firm)) == {"SCN_0001.txt": b"first page", "SCN_0001(2).txt": b"another page"}
    assert server.files() == {}


@pytest.mark.parametrize("step", ["discovered", "downloaded", "placing", "linked", "stored", "unlinked", "removed"])
def test_after_a_round_that_died_each_document_is_there_once(
    collecting: Collecting, server: PlainServer, step: str
) -> None:
    """Whatever step a round died at, the next one leaves every document once in its dossier and none on the server."""
    for n in range(5):
        server.put(f"000204/{n}.pdf", page(n))
    collecting.firm.settings.set("fetch.connections", "1")
    with pytest.raises(DiedError):
        collecting.round(reached=dies_at(f"fetch.{step}"))
    collecting.round()
    assert contents(folder(collecting.firm)) == {f"{n}.pdf": page(n) for n in range(5)}
    assert server.files() == {}


def test_a_stored_document_is_removed_only_if_the_server_has_the_same_bytes(
    collecting: Collecting, server: PlainServer
) -> None:
    """After a crash before the removal, a file of the same name, size and time with other bytes is another document."""
    file = server.put("000204/a.txt", b"first")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    with pytest.raises(DiedError):
        collecting.round(reached=dies_at("fetch.stored"))
    file.write_bytes(b"other")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    collecting.round()
    collecting.round()
    assert contents(folder(collecting.firm)) == {"a.txt": b"first", "a(2).txt": b"other"}
    assert server.files() == {}


def test_a_full_disk_ends_the_round_and_loses_nothing(collecting: Collecting, server: PlainServer) -> None:
    """What fits is delivered, the round says why it ended, no part stays; with room again the rest follows."""
    for n in range(4):
        os.utime(server.put(f"000204/{n}.bin", b"%d" % n * 100_000), (1_700_000_000 + n, 1_700_000_000 + n))
    collecting.disk = SmallDisk()
    collecting.firm.settings.set("fetch.connections", "1")
    with pytest.raises(TemporaryFailure, match=r"delivery\.disk_full"):
        collecting.round()
    assert sorted(contents(folder(collecting.firm))) == ["0.bin", "1.bin"]
    assert sorted(server.files()) == ["000204/2.bin", "000204/3.bin"]
    collecting.disk = None
    assert collecting.round() == Result(delivered=2)
    assert contents(folder(collecting.firm)) == {f"{n}.bin": b"%d" % n * 100_000 for n in range(4)}
    assert server.files() == {}


def test_stop_is_obeyed_between_two_documents(collecting: Collecting, server: PlainServer) -> None:
    """What was begun is finished, the rest stays on the server, and nothing counts as failed."""
    for n in range(10):
        server.put(f"000204/{n}.pdf", page(n))
    retrieved = threading.Semaphore(3)

    def stop_at_the_third(verb: str, _: str) -> None:
        if verb == "RETR":
            retrieved.acquire(blocking=False)

    server.hook = stop_at_the_third
    collecting.firm.settings.set("fetch.connections", "1")
    collecting.stopping = lambda: sum(verb == "RETR" for verb, _ in server.heard) >= 3
    assert collecting.round() == Result(delivered=3)
    assert len(server.files()) == 7
    collecting.stopping = lambda: False
    assert collecting.round() == Result(delivered=7)


def test_hundreds_of_documents_over_several_connections_arrive_once(
    collecting: Collecting, server: PlainServer
) -> None:
    """Four connections share one queue; every document is there once, and each was retrieved once."""
    for n in range(300):
        server.put(f"{'000204' if n % 2 else '000205'}/{n % 7}/scan.pdf" if n < 14 else f"000204/{n}.pdf", page(n))
    assert collecting.round() == Result(delivered=300)
    found = [*contents(folder(collecting.firm)).values(), *contents(folder(collecting.firm, "000205")).values()]
    assert sorted(found) == sorted(page(n) for n in range(300))
    assert len([path for verb, path in server.heard if verb == "RETR"]) == 300


def test_a_server_that_takes_fewer_connections_is_emptied_all_the_same(
    collecting: Collecting, server: PlainServer
) -> None:
    """A connection that is refused leaves its share to the others, and the round has not failed."""
    for n in range(20):
        server.put(f"000204/{n}.pdf", page(n))
    server.limit_sessions(1)
    assert collecting.round() == Result(delivered=20)


def test_a_server_that_dies_in_the_round_is_told(collecting: Collecting, server: PlainServer) -> None:
    """A connection that breaks again and again is given up with its code; nothing is lost or stored twice."""
    for n in range(20):
        server.put(f"000204/{n}.pdf", page(n))
    collecting.firm.settings.set("fetch.connections", "1")
    server.hook = lambda verb, _: HANG_UP if verb == "RETR" else None
    with pytest.raises(TemporaryFailure, match=r"session\.interrupted"):
        collecting.round()
    server.hook = lambda *_: None
    assert collecting.round(put_off=False) == Result(delivered=20)


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("ftp.port", "1", "session.unreachable"),
        ("ftp.read_password", "wrong", "session.login_refused"),
        ("ftp.host", "", "ftp_access.missing"),
    ],
)
def test_a_server_that_cannot_be_read_is_told(
    collecting: Collecting, server: PlainServer, setting: str, value: str, code: str
) -> None:
    """Nothing listens, the password is wrong, or a setting lacks: the round says which."""
    server.put("000204/a.pdf", PDF)
    collecting.firm.settings.set(setting, value)
    with pytest.raises((TemporaryFailure, PermanentFailure)) as refused:
        collecting.round()
    assert refused.value.code == code
    assert list(server.files()) == ["000204/a.pdf"]


def test_documents_of_a_server_that_was_left_are_not_mixed_up(
    collecting: Collecting, server: PlainServer, tmp_path: Path
) -> None:
    """A firm that moves to another server does not take that one's files for those it stored before."""
    server.put("000204/a.txt", b"old server")
    with pytest.raises(DiedError):
        collecting.round(reached=dies_at("fetch.stored"))
    collecting.firm.settings.set("ftp.host", "localhost")
    assert collecting.round() == Result(delivered=1)
    assert contents(folder(collecting.firm)) == {"a.txt": b"old server", "a(2).txt": b"old server"}


def test_a_file_that_fails_again_and_again_waits_for_a_person(collecting: Collecting, server: PlainServer) -> None:
    """After ten attempts over days it is left alone and listed, until a person asks or the file changes."""
    firm, clock = collecting.firm, collecting.clock
    half = server.put("000204/a.pdf", PDF[:-30])
    for _ in range(10):
        assert collecting.round() == Result(failed=1)
        clock.turn(days=1)
    for _ in range(5):
        assert collecting.round() == Result()
        clock.turn(days=1)
    (document,) = failing.every(firm)
    assert (document.failure, document.waits_for_a_person) == ("fetch.torn", True)
    steps = [line.step.value for line in journal.of_document(firm, document.id)]
    assert steps == [*["discovered", "failed"] * 10, "gave_up"]
    failing.retry(firm, document.id, "anna")
    assert collecting.round() == Result(failed=1)
    assert failing.every(firm)[0].attempts == 1
    for _ in range(9):
        clock.turn(days=1)
        collecting.round()
    half.write_bytes(PDF)
    assert collecting.round() == Result(delivered=1), "the client has sent it again"
    assert failing.every(firm) == []
    with pytest.raises(PermanentFailure, match=r"failing\.not_failing"):
        failing.retry(firm, document.id)


def test_a_round_whose_server_hangs_can_be_cut(collecting: Collecting, server: PlainServer) -> None:
    """Whoever waits for a server that says nothing ends at once; the next round takes everything."""
    for n in range(10):
        server.put(f"000204/{n}.pdf", page(n))
    answers = threading.Event()
    hangs = threading.Semaphore(0)

    def hang(verb: str, _: str) -> None:
        if verb == "RETR":
            hangs.release()
            answers.wait(60)

    server.hook = hang
    sessions = Sessions()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(collecting.round, sessions=sessions)
        assert hangs.acquire(timeout=30)
        began = time.monotonic()
        sessions.cut()
        with pytest.raises(TemporaryFailure):
            ended.result(timeout=20)
        assert time.monotonic() - began < 15
    answers.set()
    server.hook = lambda *_: None
    assert collecting.round(put_off=False).delivered == 10
    assert contents(folder(collecting.firm)) == {f"{n}.pdf": page(n) for n in range(10)}
