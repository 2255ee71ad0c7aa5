"""What a person decides on the doubtful files: released once, or discarded, whatever dies meanwhile."""

import contextlib
import io
import json
import os
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dialogue import logged_in
from kept_aside import HALF, answered, collect, cut_off, deposit, kept_aside, killed_at, listed, told
from navette_server import NavetteServer
from served import FIDUCIARY, PDF, Served, serving, sha256
from sqlalchemy import insert

from ftp_server.deposits import Deposit, Suspect
from ftp_server.folders import Folders
from ftp_server.server import database
from ftp_server.tables import deposits, suspects
from ftp_server.trash import purge
from transfer.failures import PermanentFailure
from transfer.safe_names import twin_key


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


def trashed(served: Served) -> list[str]:
    return sorted(path.name for path in (served.folder / "trash").iterdir())


def rows(served: Served) -> list[tuple[object, ...]]:
    opened = database(served.home)
    with opened.read() as connection:
        chosen = (deposits.c.id, deposits.c.folder, deposits.c.name, deposits.c.sha256, deposits.c.evidence)
        found = [tuple(row) for row in connection.execute(deposits.select().with_only_columns(*chosen))]
    opened.close()
    return found


def test_released(served: Served, tmp_path: Path) -> None:
    """A released file is a document like others: recorded with its hash, seen by READ beside a running server."""
    kept = cut_off(served, "/000204/scan.pdf")
    answer = answered(tmp_path, "suspects", "release", kept)
    assert (answer.returncode, answer.stdout) == (0, "Released: /000204/scan.pdf\n")
    assert rows(served) == [(kept, "/000204", "scan.pdf", sha256(HALF), "released")]
    assert listed(served, "/000204") == ["scan.pdf"]
    assert collect(served, "/000204/scan.pdf") == HALF
    assert (served.published(), served.suspects(), trashed(served)) == ({}, [], [kept])


def test_released_while_the_server_is_stopped(tmp_path: Path) -> None:
    """Nothing of a release needs the server; its next start leaves the document as it is."""
    with serving(tmp_path / "server") as served:
        kept, passwords = cut_off(served, "/000204/scan.pdf"), served.passwords
    assert told(tmp_path, "suspects", "release", kept)[0]["published"] == "/000204/scan.pdf"
    with serving(tmp_path / "server", passwords=passwords) as served:
        assert served.published() == {"000204/scan.pdf": HALF}
        assert served.suspects() == []


def test_decided_ones_are_no_longer_listed(served: Served, tmp_path: Path) -> None:
    """What was decided leaves the list; --all shows what became of it and when."""
    first, second, third = (cut_off(served, f"/000204/{n}.pdf", HALF + n.encode()) for n in "123")
    answered(tmp_path, "suspects", "release", first)
    answered(tmp_path, "suspects", "discard", second)
    assert [each["id"] for each in told(tmp_path, "suspects", "list")] == [third]
    every = {each["id"]: each for each in told(tmp_path, "suspects", "--all")}
    assert [every[kept]["decision"] for kept in (first, second, third)] == ["release", "discard", None]
    assert every[first]["ended_at"] >= every[first]["decided_at"]
    text = answered(tmp_path, "suspects", "--all", "list").stdout
    assert "as /000204/1.pdf" in text
    assert "discarded on " in text


@pytest.mark.crash
@pytest.mark.parametrize("step", ["decided", "linked", "synced", "recorded", "let_go", "ended"])
@pytest.mark.parametrize("by", ["the next command", "a start"])
def test_killed_while_releasing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, by: str) -> None:
    """A command killed at any step of a release is finished by the next one, or by a start: one copy, one row."""
    with serving(tmp_path / "server") as served:
        passwords = served.passwords
        deposit(served, "/000204/scan.pdf")
        kept = cut_off(served, "/000204/scan.pdf")
    killed_at(monkeypatch, f"release.{step}", tmp_path, "server", "suspects", "release", kept)
    if by == "the next command":
        again = answered(tmp_path, "suspects", "release", kept)
        assert (again.returncode, "[suspect.released_already]" in again.stderr) == (2, True)
        assert released_beside(served, kept)
    with serving(tmp_path / "server", passwords=passwords) as served:
        assert released_beside(served, kept)
        assert told(tmp_path, "suspects") == []
        assert collect(served, "/000204/scan(2).pdf") == HALF
        assert trashed(served) == [kept]


def released_beside(served: Served, kept: str) -> bool:
    """Tell that a suspect is published once, beside the document that had its name."""
    assert served.published() == {"000204/scan(2).pdf": HALF, "000204/scan.pdf": PDF}
    assert (served.suspects(), trashed(served)) == ([], [])
    assert [row[1:] for row in rows(served) if row[0] == kept] == [("/000204", "scan(2).pdf", sha256(HALF), "released")]
    return True


@pytest.mark.crash
@pytest.mark.parametrize("step", ["linked", "synced", "recorded", "let_go", "ended"])
def test_a_server_killed_while_it_releases(tmp_path: Path, step: str) -> None:
    """A server killed at any step of a release leaves the rest to the command that asked it, which does not fail."""
    with serving(tmp_path / "server") as served:
        deposit(served, "/000204/scan.pdf")
        kept = cut_off(served, "/000204/scan.pdf")
    server = NavetteServer(tmp_path)
    server.start(f"release.{step}")
    try:
        assert [each["published"] for each in told(tmp_path, "suspects", "release", kept)] == ["/000204/scan(2).pdf"]
        assert not server.running
        assert released_beside(served, kept)
    finally:
        server.stop()


@pytest.mark.crash
@pytest.mark.parametrize("step", ["decided", "moved", "ended"])
def test_killed_while_discarding(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Killed at any step of a discard, the next command finishes it: the bytes lie in the trash, once."""
    kept = cut_off(served, "/000204/scan.pdf")
    killed_at(monkeypatch, f"discard.{step}", tmp_path, "server", "suspects", "discard", kept)
    again = answered(tmp_path, "suspects", "discard", kept)
    assert (again.returncode, "[suspect.discarded_already]" in again.stderr) == (2, True)
    assert (served.published(), served.suspects(), trashed(served)) == ({}, [], [kept])


@pytest.mark.parametrize("step", ["linked", "synced", "recorded"])
def test_collected_before_the_release_has_ended(tmp_path: Path, step: str) -> None:
    """READ may collect at any moment after the link: the document is then in the trash, and its row says so."""
    running: list[Served] = []

    def reached(each: str) -> None:
        if each == f"release.{step}":
            collect(running[0], "/000204/scan.pdf")

    with serving(tmp_path / "server", reached) as served, kept_aside(served.home) as aside:
        running.append(served)
        kept = cut_off(served, "/000204/scan.pdf")
        assert aside.release(kept).collected_at is not None
        assert (served.published(), served.suspects(), trashed(served)) == ({}, [], [kept])


def test_collected_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that was collected while its release lay crashed is neither lost nor purged nor published again."""
    with serving(tmp_path / "server") as served:
        passwords, kept = served.passwords, cut_off(served, "/000204/scan.pdf")
    killed_at(monkeypatch, "release.linked", tmp_path, "server", "suspects", "release", kept)
    (served.folder / "files/000204/scan.pdf").rename(served.folder / "trash/scan.pdf")  # as READ does without a row
    assert purge(Folders.of(served.home / "fiduciaries", FIDUCIARY), time.time() + 90 * 86_400, 30) == 0
    with serving(tmp_path / "server", passwords=passwords) as served:
        assert (served.published(), served.suspects(), trashed(served)) == ({}, [], [kept])
        assert told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan.pdf")[0]["collected_at"] is not None


def test_a_name_never_replaces_another(served: Served, tmp_path: Path) -> None:
    """A released file takes a counter where the name is there, also as a case twin, and the server steps over it."""
    deposit(served, "/000204/Scan.PDF")
    told(tmp_path, "suspects", "release", cut_off(served, "/000204/scan.pdf"))
    for name in ("SCAN(2).PDF", "scan.pdf"):
        deposit(served, f"/000204/{name}", PDF + name.encode() + b"%%EOF")
    assert sorted(served.published()) == [
        "000204/SCAN(2)(2).PDF",
        "000204/Scan.PDF",
        "000204/scan(2).pdf",
        "000204/scan(3).pdf",
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_what_devices_send_meanwhile(tmp_path: Path, processes: int) -> None:
    """Devices that send twins of what is released, and the same bytes again, leave one copy of each and no twins."""
    pages = [PDF + b"page %d\n%%%%EOF\n" % n for n in range(12)]
    with serving(tmp_path / "server") as served:
        kept = [cut_off(served, f"/000204/{n}.pdf", pages[n], reset=True) for n in range(6)]
    server = NavetteServer(tmp_path)
    server.passwords = served.passwords
    server.start(None, "--processes", str(processes))
    stop = threading.Event()

    def device(number: int) -> int:
        rounds = 0
        while not stop.is_set():
            with logged_in(server, f"WRITE_{FIDUCIARY}") as session:
                for n in range(6):
                    assert session.store(f"/000204/{n}.{'PDF' if number % 2 else 'Pdf'}", pages[6 + n])[:3] == "226"
                    if number == 0:
                        assert session.store(f"/000204/{n}.pdf", pages[n])[:3] == "226"
            rounds += 1
        return rounds

    with ThreadPoolExecutor(4) as devices:
        running = [devices.submit(device, number) for number in range(4)]
        try:
            answered(tmp_path, "suspects", "release", *kept)
        finally:
            stop.set()
    assert min(each.result() for each in running) > 0
    server.stop()
    published = served.published()
    assert len({twin_key(path) for path in published}) == len(published)
    assert sorted(published.values()) == sorted([*pages, *pages[6:]])


@pytest.mark.parametrize("name", ["scan.pdf", "another.pdf"])
def test_sent_again_after_the_release(served: Served, tmp_path: Path, name: str) -> None:
    """What was released and then comes again is a retry, whatever name it was published under, and is there once."""
    data = PDF[:5000]
    kept = cut_off(served, "/000204/scan.pdf", data)
    told(tmp_path, "suspects", "release", kept, "--as", name)
    with served.session() as ftp:
        ftp.voidcmd(f"ALLO {len(data)}")
        assert f'"/000204/{name}"' in ftp.storbinary("STOR /000204/scan.pdf", io.BytesIO(data))
    assert served.published() == {f"000204/{name}": data}


def test_a_name_of_ones_own(served: Served, tmp_path: Path) -> None:
    """--as publishes under another name, made safe; it is refused for several files."""
    first, second = cut_off(served, "/000204/a.pdf"), cut_off(served, "/000204/b.pdf", HALF + b"b")
    refused = answered(tmp_path, "suspects", "release", first, second, "--as", "c.pdf")
    assert (refused.returncode, "[server.one_name]" in refused.stderr) == (2, True)
    assert served.published() == {}
    answered(tmp_path, "suspects", "release", first, "--as", "../février: 3.pdf")
    assert served.published() == {"000204/__février_ 3.pdf": HALF}


def test_sent_again_since(served: Served, tmp_path: Path) -> None:
    """A file whose bytes came again and were published is not released: the document would be there twice."""
    kept = cut_off(served, "/000204/scan.pdf", PDF, reset=True)
    deposit(served, "/000204/scan.pdf")
    answer = answered(tmp_path, "suspects", "release", kept)
    assert (answer.returncode, "[suspect.came_again]" in answer.stderr) == (2, True)
    assert served.published() == {"000204/scan.pdf": PDF}
    assert answered(tmp_path, "suspects", "discard", kept).returncode == 0


def test_one_refused_holds_up_no_other(served: Served, tmp_path: Path) -> None:
    """Of several ids, those that can be are released; the others are said with their code, and the exit code tells."""
    kept = cut_off(served, "/000204/scan.pdf")
    answer = answered(tmp_path, "suspects", "release", "../../server.db", kept, "--json")
    assert (answer.returncode, "Traceback" in answer.stderr) == (2, False)
    assert '"refused": "suspect.unknown"' in answer.stdout
    assert served.published() == {"000204/scan.pdf": HALF}


def test_a_file_that_is_gone(served: Served) -> None:
    """A suspect whose file somebody took away is refused, and nothing is decided."""
    kept = cut_off(served, "/000204/scan.pdf")
    (served.folder / "suspects" / kept).unlink()
    with kept_aside(served.home) as aside:
        with pytest.raises(PermanentFailure, match=r"suspect\.file_missing"):
            aside.release(kept)
        assert [each.decision for each in aside.suspects.list()] == [None]


def test_a_receipt_for_other_bytes(served: Served) -> None:
    """A file that carries a receipt for more bytes than reached the disk is released with what it holds."""
    kept = cut_off(served, "/000204/scan.pdf")
    whole = Deposit(kept, "key", FIDUCIARY, "", "/", "a", len(PDF), sha256(PDF), "", "end_mark", 0.0)
    os.setxattr(served.folder / "suspects" / kept, "user.navette.receipt", json.dumps(whole).encode())
    with kept_aside(served.home) as aside:
        assert aside.release(kept).sha256 == sha256(HALF)
    with served.collecting() as ftp:
        assert ftp.sendcmd("XSHA256 /000204/scan.pdf").split()[1].lower() == sha256(HALF)


def test_a_folder_that_is_a_document(served: Served, tmp_path: Path) -> None:
    """A released file whose folder is another document's name by now lies beside it, and its row tells where."""
    kept = cut_off(served, "/000204/scan.pdf")
    deposit(served, "/000204")
    assert told(tmp_path, "suspects", "release", kept)[0]["published"] == "/000204(2)/scan.pdf"
    assert served.published() == {"000204": PDF, "000204(2)/scan.pdf": HALF}
    assert collect(served, "/000204(2)/scan.pdf") == HALF
    assert told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan.pdf")[0]["collected_at"] is not None


@pytest.mark.crash
def test_a_folder_that_is_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file published beside a document stays there when that document goes while the release lies crashed."""
    with serving(tmp_path / "server") as served:
        passwords, kept = served.passwords, cut_off(served, "/000204/scan.pdf")
    (served.folder / "files/000204").write_bytes(PDF)
    killed_at(monkeypatch, "release.linked", tmp_path, "server", "suspects", "release", kept)
    (served.folder / "files/000204").unlink()
    with serving(tmp_path / "server", passwords=passwords) as served:
        assert served.published() == {"000204(2)/scan.pdf": HALF}
        assert [row[:3] for row in rows(served) if row[0] == kept] == [(kept, "/000204(2)", "scan.pdf")]


def test_a_disk_that_refuses(served: Served, tmp_path: Path) -> None:
    """What the disk refuses is said with a code; what was decided is finished once it does not."""
    kept = cut_off(served, "/000204/scan.pdf")
    (served.folder / "files" / "000204").symlink_to("nowhere")  # neither a folder nor a document
    answer = answered(tmp_path, "suspects", "release", kept)
    refused = "[server.unfinished]" in answer.stderr
    assert (answer.returncode, refused, "Traceback" in answer.stderr) == (2, True, False)
    assert answered(tmp_path, "suspects", "discard", cut_off(served, "/b.pdf")).returncode == 0
    assert "not finished" in answered(tmp_path, "suspects").stdout
    (served.folder / "files" / "000204").unlink()
    assert answered(tmp_path, "trash", "purge").returncode == 0
    assert served.published() == {"000204/scan.pdf": HALF}


class Broken(Exception):
    """Stands for the end of a program at a step."""


def test_several_commands_at_once(tmp_path: Path) -> None:
    """Commands that release, break off and carry on the same files at once publish each once, no two as twins."""
    folders = Folders.of(tmp_path / "fiduciaries", FIDUCIARY)
    kept = {uuid.uuid4().hex: b"bytes %d" % n for n in range(12)}
    with kept_aside(tmp_path) as aside, aside.database.write() as connection:
        for n, (suspect_id, data) in enumerate(kept.items()):
            (folders.suspects / suspect_id).write_bytes(data)
            facts = Suspect(suspect_id, FIDUCIARY, "", "/a", "scan.PDF" if n % 2 else "Scan.pdf", 9, "reset", "", 0.0)
            connection.execute(insert(suspects).values(vars(facts)))

    def command(seed: int) -> None:
        chance = random.Random(seed)

        def reached(step: str) -> None:
            if chance.random() < 0.2:
                raise Broken(step)

        with kept_aside(tmp_path, reached) as aside:
            for suspect_id in chance.sample(sorted(kept), len(kept)):
                with contextlib.suppress(Broken, PermanentFailure):
                    aside.release(suspect_id)
                with contextlib.suppress(Broken):
                    aside.carry_out()

    with ThreadPoolExecutor(4) as commands:
        list(commands.map(command, range(4)))
    with kept_aside(tmp_path) as aside:
        aside.carry_out()
        every = aside.suspects.list(decided=True)
    published = {path.name: path.read_bytes() for path in (folders.files / "a").iterdir()}
    assert sorted(published.values()) == sorted(kept.values())
    assert len({twin_key(name) for name in published}) == len(kept)
    assert {each.deposit.name: kept[each.suspect.id] for each in every if each.deposit} == published
    assert not any(each.is_open for each in every)
    assert list(folders.suspects.iterdir()) == []
