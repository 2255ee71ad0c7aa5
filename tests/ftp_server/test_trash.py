"""What was collected or discarded: listed, put back exactly once, purged when it is old."""

import ftplib
import os
import time
from pathlib import Path

import pytest
from kept_aside import HALF, answered, collect, cut_off, deposit, kept_aside, killed_at, listed, told
from navette_server import NavetteServer
from served import FIDUCIARY, PDF, Served, serving

from ftp_server.deposits import Deposit, Suspect
from ftp_server.folders import Folders
from ftp_server.trash import purge
from transfer.failures import PermanentFailure

DAY = 86_400.0


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


def trashed(served: Served) -> list[str]:
    return sorted(path.name for path in (served.folder / "trash").iterdir())


def collected(served: Served, path: str = "/000204/scan.pdf") -> str:
    """Deposit and collect a document; return its id."""
    deposit(served, path)
    before = trashed(served)
    collect(served, path)
    return next(name for name in trashed(served) if name not in before)


def test_listed(served: Served, tmp_path: Path) -> None:
    """Documents, discarded suspects and files without a row are listed with what is known and the days left."""
    document = collected(served)
    suspect = cut_off(served, "/half.pdf")
    answered(tmp_path, "suspects", "discard", suspect)
    (served.folder / "files" / "by hand.txt").write_bytes(b"by hand")
    with served.collecting() as ftp:
        ftp.delete("by hand.txt")
    found = {each["id"]: each for each in told(tmp_path, "trash", "list", "--fiduciary", FIDUCIARY)}
    assert {kept: each["kind"] for kept, each in found.items()} == {
        document: "document",
        suspect: "suspect",
        "by hand.txt": "unrecorded",
    }
    facts = found[document]
    assert (facts["folder"], facts["name"], facts["size"]) == ("/000204", "scan.pdf", len(PDF))
    assert {each["days_left"] for each in found.values()} <= {29, 30}
    text = answered(tmp_path, "trash", "list").stdout
    assert "/000204/scan.pdf" in text
    assert "discarded doubtful file; " in text
    assert told(tmp_path, "trash", "list", "--fiduciary", "999999") == []


def test_put_back(served: Served, tmp_path: Path) -> None:
    """A document put back is published again beside a running server, not collected any more, and collected again."""
    kept = collected(served)
    answer = answered(tmp_path, "trash", "restore", kept)
    assert (answer.returncode, answer.stdout) == (0, "Published again: /000204/scan.pdf\n")
    assert listed(served, "/000204") == ["scan.pdf"]
    assert told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan.pdf")[0]["collected_at"] is None
    assert trashed(served) == []
    assert collect(served, "/000204/scan.pdf") == PDF
    assert trashed(served) == [kept]


def test_put_back_beside_its_successor(served: Served) -> None:
    """A document whose name another has by now gets a counter, and its row says so."""
    kept = collected(served)
    deposit(served, "/000204/SCAN.pdf", PDF + b"\n")
    with kept_aside(served.home) as aside:
        back = aside.restore(kept)
    assert isinstance(back, Deposit)
    assert (back.name, back.collected_at) == ("scan(2).pdf", None)
    assert served.published() == {"000204/SCAN.pdf": PDF + b"\n", "000204/scan(2).pdf": PDF}


@pytest.mark.crash
@pytest.mark.parametrize("step", ["begun", "linked", "synced", "recorded", "let_go"])
@pytest.mark.parametrize("by", ["the next command", "a start"])
def test_killed_while_putting_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, by: str) -> None:
    """A command killed at any step of putting back is finished by the next one, or by a start: one copy, one row."""
    with serving(tmp_path / "server") as served:
        passwords, kept = served.passwords, collected(served)
        deposit(served, "/000204/scan.pdf", PDF + b"\n")
    killed_at(monkeypatch, f"restore.{step}", tmp_path, "server", "trash", "restore", kept)
    if by == "the next command":
        again = answered(tmp_path, "trash", "restore", kept)
        assert (again.returncode, "[trash.unknown]" in again.stderr) == (2, True)
        assert back_beside(served, tmp_path, kept)
    with serving(tmp_path / "server", passwords=passwords) as served:
        assert back_beside(served, tmp_path, kept)
        assert collect(served, "/000204/scan(2).pdf") == PDF
        assert trashed(served) == [kept]


def back_beside(served: Served, home: Path, kept: str) -> bool:
    """Tell that a document is published again, once, beside the one that has its name."""
    assert served.published() == {"000204/scan.pdf": PDF + b"\n", "000204/scan(2).pdf": PDF}
    assert trashed(served) == []
    row = told(home, "receipt", f"WRITE_{FIDUCIARY}", "scan(2).pdf")[0]
    assert (row["id"], row["collected_at"]) == (kept, None)
    return True


@pytest.mark.crash
@pytest.mark.parametrize("step", ["linked", "synced", "recorded", "let_go"])
def test_a_server_killed_while_it_puts_back(tmp_path: Path, step: str) -> None:
    """A server killed at any step of putting back leaves the rest to the command that asked it, which does not fail."""
    with serving(tmp_path / "server") as served:
        kept = collected(served)
        deposit(served, "/000204/scan.pdf", PDF + b"\n")
    server = NavetteServer(tmp_path)
    server.start(f"restore.{step}")
    try:
        assert [each["published"] for each in told(tmp_path, "trash", "restore", kept)] == ["/000204/scan(2).pdf"]
        assert not server.running
        assert back_beside(served, tmp_path, kept)
    finally:
        server.stop()


@pytest.mark.crash
@pytest.mark.parametrize("step", ["linked", "recorded"])
def test_collected_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A document that was collected while its return lay crashed is neither lost, nor purged, nor published again."""
    with serving(tmp_path / "server") as served:
        passwords, kept = served.passwords, collected(served)
    killed_at(monkeypatch, f"restore.{step}", tmp_path, "server", "trash", "restore", kept)
    assert {each["kind"] for each in told(tmp_path, "trash", "list")} == {"returning"}
    (served.folder / "files/000204/scan.pdf").rename(served.folder / "trash/scan.pdf")  # as READ does without a row
    assert purge(Folders.of(served.home / "fiduciaries", FIDUCIARY), time.time() + 90 * DAY, 30) == 0
    with serving(tmp_path / "server", passwords=passwords) as served:
        assert (served.published(), trashed(served)) == ({}, [kept])
        assert {each["kind"] for each in told(tmp_path, "trash", "list")} == {"document"}
        assert told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan.pdf")[0]["collected_at"] is not None


@pytest.mark.parametrize("step", ["linked", "synced", "recorded"])
@pytest.mark.parametrize("knowing", [True, False])
def test_collected_before_the_return_has_ended(tmp_path: Path, step: str, knowing: bool) -> None:
    """READ may collect at any moment after the link: the document lies in the trash again, and its row says so."""
    running: list[Served] = []

    def reached(each: str) -> None:
        if each == f"restore.{step}" and knowing:
            collect(running[0], "/000204/scan.pdf")
        elif each == f"restore.{step}":  # where files carry no receipts, the server knows it by its name alone
            (running[0].folder / "files/000204/scan.pdf").rename(running[0].folder / "trash" / "scan.pdf")

    with serving(tmp_path / "server", reached) as served, kept_aside(served.home) as aside:
        running.append(served)
        kept = collected(served)
        back = aside.restore(kept)
        assert isinstance(back, Deposit)
        assert back.collected_at is not None
        assert (served.published(), trashed(served)) == ({}, [kept])


def test_a_discarded_suspect_is_doubtful_again(served: Served, tmp_path: Path) -> None:
    """A discarded file that is put back waits for a decision again; nobody has said that it is whole."""
    kept = cut_off(served, "/000204/scan.pdf")
    answered(tmp_path, "suspects", "discard", kept)
    with kept_aside(served.home) as aside:
        assert isinstance(aside.restore(kept), Suspect)
    assert (served.published(), served.suspects(), trashed(served)) == ({}, [HALF], [])
    assert answered(tmp_path, "suspects", "release", kept).returncode == 0
    assert served.published() == {"000204/scan.pdf": HALF}


@pytest.mark.crash
@pytest.mark.parametrize("step", ["begun", "moved"])
def test_killed_while_taking_back(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Killed while a discarded file is put back, it is discarded as before, and can be put back by the next command."""
    kept = cut_off(served, "/000204/scan.pdf")
    answered(tmp_path, "suspects", "discard", kept)
    killed_at(monkeypatch, f"take_back.{step}", tmp_path, "server", "trash", "restore", kept)
    with kept_aside(served.home) as aside:
        aside.carry_out()
        assert (served.suspects(), trashed(served)) == ([], [kept])
        aside.restore(kept)
    assert (served.suspects(), trashed(served)) == ([HALF], [])


def test_no_row_tells_where_it_was(served: Served, tmp_path: Path) -> None:
    """A file without a row, and an id that is none, are refused with a code each; another one is still put back."""
    kept = collected(served)
    (served.folder / "trash" / "by hand.returning").write_bytes(b"by hand")
    answer = answered(tmp_path, "trash", "restore", "by hand.returning", "../staging", kept)
    assert answer.returncode == 2
    assert "[trash.not_recorded]" in answer.stderr
    assert "[trash.unknown]" in answer.stderr
    assert served.published() == {"000204/scan.pdf": PDF}
    with kept_aside(served.home) as aside, pytest.raises(PermanentFailure):
        aside.restore("nothing")


def test_purged_when_old(served: Served, tmp_path: Path) -> None:
    """A purge removes what was removed more than the given days ago, and nothing younger."""
    collected(served)
    folders = Folders.of(served.home / "fiduciaries", FIDUCIARY)
    assert purge(folders, time.time() + 9 * DAY, 10) == 0
    assert purge(folders, time.time() + 11 * DAY, 10, {name: time.time() + 2 * DAY for name in trashed(served)}) == 0
    assert purge(folders, time.time() + 11 * DAY, 10) == 1
    assert trashed(served) == []
    kept = collected(served, "/000204/second.pdf")
    refused = answered(tmp_path, "trash", "purge", "--days", "-1")
    assert (refused.returncode, "[server.bad_days]" in refused.stderr) == (2, True)
    assert answered(tmp_path, "trash", "purge").stdout == "0 files removed for good.\n"
    assert trashed(served) == [kept]
    assert answered(tmp_path, "trash", "purge", "--days", "0").stdout == "1 file removed for good.\n"


def test_a_purge_meanwhile(tmp_path: Path) -> None:
    """A document that is on its way back is not purged by a server that purges at that moment."""
    purged: list[int] = []

    def reached(step: str) -> None:
        if step.startswith("restore."):
            purged.append(purge(folders, time.time() + 99 * DAY, 1))

    folders = Folders.of(tmp_path / "server/fiduciaries", FIDUCIARY)
    with serving(tmp_path / "server", reached) as served, kept_aside(served.home, reached) as aside:
        kept = collected(served)
        aside.restore(kept)
        assert (len(purged), sum(purged)) == (5, 0)
        assert served.published() == {"000204/scan.pdf": PDF}


def test_a_folder_that_is_a_document(served: Served, tmp_path: Path) -> None:
    """A document put back whose folder is another document's name by now lies beside it, and its row tells where."""
    kept = collected(served)
    (served.folder / "files/000204").rmdir()
    deposit(served, "/000204", PDF + b"\n")
    assert told(tmp_path, "trash", "restore", kept)[0]["published"] == "/000204(2)/scan.pdf"
    assert served.published() == {"000204": PDF + b"\n", "000204(2)/scan.pdf": PDF}
    assert collect(served, "/000204(2)/scan.pdf") == PDF
    assert trashed(served) == [kept]


def test_twins_and_retries_of_what_was_put_back(served: Served, tmp_path: Path) -> None:
    """What was put back keeps its name against case twins, and the same bytes sent again are not stored twice."""
    told(tmp_path, "trash", "restore", collected(served))
    deposit(served, "/000204/SCAN.pdf", PDF + b"\n")
    deposit(served, "/000204/scan.pdf")
    assert served.published() == {"000204/SCAN(2).pdf": PDF + b"\n", "000204/scan.pdf": PDF}


def test_read_sees_no_trash(served: Served) -> None:
    """READ sees neither the trash nor what is on its way back."""
    collected(served)
    with served.collecting() as ftp, pytest.raises(ftplib.error_perm):
        ftp.cwd("/../trash")
    assert os.listdir(served.folder / "files" / "000204") == []
