"""What a person decides on the doubtful files: released once, or discarded, whatever dies meanwhile."""

import contextlib
import json
import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kept_aside import HALF, answered, collect, cut_off, deposit, kept_aside, killed_at, listed, told
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
def test_killed_while_releasing(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Killed at any step of a release beside a running server, the next command finishes it: one copy, one row."""
    deposit(served, "/000204/scan.pdf")
    kept = cut_off(served, "/000204/scan.pdf")
    killed_at(monkeypatch, f"release.{step}", tmp_path, "server", "suspects", "release", kept)
    again = answered(tmp_path, "suspects", "release", kept)
    assert (again.returncode, "[suspect.released_already]" in again.stderr) == (2, True)
    assert served.published() == {"000204/scan(2).pdf": HALF, "000204/scan.pdf": PDF}
    assert (served.suspects(), trashed(served)) == ([], [])
    assert (kept, "/000204", "scan(2).pdf", sha256(HALF), "released") in rows(served)
    assert told(tmp_path, "suspects") == []
    assert collect(served, "/000204/scan(2).pdf") == HALF
    assert trashed(served) == [kept]


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
def test_collected_before_the_release_has_ended(served: Served, step: str) -> None:
    """READ may collect at any moment after the link: the document is then in the trash, and its row says so."""
    kept = cut_off(served, "/000204/scan.pdf")

    def reached(each: str) -> None:
        if each == f"release.{step}":
            collect(served, "/000204/scan.pdf")

    with kept_aside(served.home, reached) as aside:
        aside.suspects.release(kept)
        released = aside.suspects.list(decided=True)[0].deposit
    assert released is not None
    assert released.collected_at is not None
    assert (served.published(), served.suspects(), trashed(served)) == ({}, [], [kept])


def test_collected_after_a_crash(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that READ collected while its release lay crashed is not published a second time."""
    kept = cut_off(served, "/000204/scan.pdf")
    killed_at(monkeypatch, "release.linked", tmp_path, "server", "suspects", "release", kept)
    assert collect(served, "/000204/scan.pdf") == HALF
    assert purge(Folders.of(served.home / "fiduciaries", FIDUCIARY), time.time() + 90 * 86_400, 30) == 0
    told(tmp_path, "suspects", "release", cut_off(served, "/000204/other.pdf"))
    assert (served.published(), served.suspects(), trashed(served)) == ({"000204/other.pdf": HALF}, [], [kept])
    assert told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan.pdf")[0]["collected_at"] is not None


def test_a_name_never_replaces_another(served: Served) -> None:
    """A released file takes a counter where the name is there, also as a case twin; the server steps over it later."""
    deposit(served, "/000204/Scan.PDF")
    with kept_aside(served.home) as aside:
        assert aside.suspects.release(cut_off(served, "/000204/scan.pdf")).name == "scan(2).pdf"
    deposit(served, "/000204/scan.pdf", PDF + b"\n")
    assert sorted(served.published()) == ["000204/Scan.PDF", "000204/scan(2).pdf", "000204/scan(3).pdf"]


def test_a_twin_that_appears_meanwhile(served: Served) -> None:
    """A case twin published between the look and the link makes the released file take another name."""
    kept = cut_off(served, "/000204/scan.pdf")

    def reached(step: str) -> None:
        if step == "release.linked" and not (served.folder / "files/000204/SCAN.pdf").exists():
            (served.folder / "files/000204/SCAN.pdf").write_bytes(PDF)

    with kept_aside(served.home, reached) as aside:
        assert aside.suspects.release(kept).name == "scan(2).pdf"
    assert served.published() == {"000204/SCAN.pdf": PDF, "000204/scan(2).pdf": HALF}


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
            aside.suspects.release(kept)
        assert [each.decision for each in aside.suspects.list()] == [None]


def test_a_receipt_for_other_bytes(served: Served) -> None:
    """A file that carries a receipt for more bytes than reached the disk is released with what it holds."""
    kept = cut_off(served, "/000204/scan.pdf")
    whole = Deposit(kept, "key", FIDUCIARY, "", "/", "a", len(PDF), sha256(PDF), "", "end_mark", 0.0)
    os.setxattr(served.folder / "suspects" / kept, "user.navette.receipt", json.dumps(whole).encode())
    with kept_aside(served.home) as aside:
        assert aside.suspects.release(kept).sha256 == sha256(HALF)
    with served.collecting() as ftp:
        assert ftp.sendcmd("XSHA256 /000204/scan.pdf").split()[1].lower() == sha256(HALF)


def test_a_disk_that_refuses(served: Served, tmp_path: Path) -> None:
    """What the disk refuses is said with a code; what was decided is finished once it does not."""
    kept = cut_off(served, "/000204/scan.pdf")
    (served.folder / "files" / "000204").write_bytes(b"no folder")
    answer = answered(tmp_path, "suspects", "release", kept)
    assert (answer.returncode, "[server.disk_refuses]" in answer.stderr, "Traceback" in answer.stderr) == (
        2,
        True,
        False,
    )
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
                    aside.suspects.release(suspect_id)
                with contextlib.suppress(Broken):
                    aside.suspects.finish()

    with ThreadPoolExecutor(4) as commands:
        list(commands.map(command, range(4)))
    with kept_aside(tmp_path) as aside:
        aside.suspects.finish()
        every = aside.suspects.list(decided=True)
    published = {path.name: path.read_bytes() for path in (folders.files / "a").iterdir()}
    assert sorted(published.values()) == sorted(kept.values())
    assert len({twin_key(name) for name in published}) == len(kept)
    assert {each.deposit.name: kept[each.suspect.id] for each in every if each.deposit} == published
    assert not any(each.is_open for each in every)
    assert list(folders.suspects.iterdir()) == []
