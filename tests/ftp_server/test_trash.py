"""What was collected or discarded: listed, put back exactly once, purged when it is old."""

import ftplib
import os
import time
from pathlib import Path

import pytest
from kept_aside import HALF, answered, collect, cut_off, deposit, kept_aside, killed_at, listed, told
from served import FIDUCIARY, PDF, Served, serving

from ftp_server.deposits import Deposit, Suspect
from ftp_server.folders import Folders
from ftp_server.trash import Kind, purge
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
        back = aside.trash.restore(kept)
    assert isinstance(back, Deposit)
    assert (back.name, back.collected_at) == ("scan(2).pdf", None)
    assert served.published() == {"000204/SCAN.pdf": PDF + b"\n", "000204/scan(2).pdf": PDF}


@pytest.mark.crash
@pytest.mark.parametrize("step", ["begun", "linked", "synced", "recorded", "let_go"])
def test_killed_while_putting_back(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Killed at any step of putting back beside a running server, the next command finishes it: one copy, one row."""
    kept = collected(served)
    deposit(served, "/000204/scan.pdf", PDF + b"\n")
    killed_at(monkeypatch, f"restore.{step}", tmp_path, "server", "trash", "restore", kept)
    again = answered(tmp_path, "trash", "restore", kept)
    assert (again.returncode, "[trash.unknown]" in again.stderr) == (2, True)
    assert served.published() == {"000204/scan.pdf": PDF + b"\n", "000204/scan(2).pdf": PDF}
    assert trashed(served) == []
    row = told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan(2).pdf")[0]
    assert (row["id"], row["collected_at"]) == (kept, None)
    assert collect(served, "/000204/scan(2).pdf") == PDF
    assert trashed(served) == [kept]


@pytest.mark.crash
@pytest.mark.parametrize("step", ["linked", "recorded"])
def test_collected_after_a_crash(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A document that READ collected while its return lay crashed is neither lost, nor purged, nor published again."""
    kept = collected(served)
    killed_at(monkeypatch, f"restore.{step}", tmp_path, "server", "trash", "restore", kept)
    assert {each["kind"] for each in told(tmp_path, "trash", "list")} == {"returning"}
    assert collect(served, "/000204/scan.pdf") == PDF
    assert purge(Folders.of(served.home / "fiduciaries", FIDUCIARY), time.time() + 90 * DAY, 30) == 0
    with kept_aside(served.home) as aside:
        assert aside.trash.finish() == 1
        assert [(each.id, each.kind) for each in aside.trash.list()] == [(kept, Kind.DOCUMENT)]
    assert (served.published(), trashed(served)) == ({}, [kept])
    assert told(tmp_path, "receipt", f"WRITE_{FIDUCIARY}", "scan.pdf")[0]["collected_at"] is not None


@pytest.mark.parametrize("step", ["linked", "synced", "recorded"])
def test_collected_before_the_return_has_ended(served: Served, step: str) -> None:
    """READ may collect at any moment after the link: the document lies in the trash again, and its row says so."""
    kept = collected(served)

    def reached(each: str) -> None:
        if each == f"restore.{step}" and step == "recorded":
            collect(served, "/000204/scan.pdf")
        elif each == f"restore.{step}":  # where files carry no receipts, the server knows it by its name alone
            (served.folder / "files/000204/scan.pdf").rename(served.folder / "trash" / "scan.pdf")

    with kept_aside(served.home, reached) as aside:
        back = aside.trash.restore(kept)
    assert isinstance(back, Deposit)
    assert back.collected_at is not None
    assert (served.published(), trashed(served)) == ({}, [kept])


def test_a_discarded_suspect_is_doubtful_again(served: Served, tmp_path: Path) -> None:
    """A discarded file that is put back waits for a decision again; nobody has said that it is whole."""
    kept = cut_off(served, "/000204/scan.pdf")
    answered(tmp_path, "suspects", "discard", kept)
    with kept_aside(served.home) as aside:
        assert isinstance(aside.trash.restore(kept), Suspect)
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
        assert aside.suspects.finish() == 1
        assert (served.suspects(), trashed(served)) == ([], [kept])
        aside.trash.restore(kept)
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
        aside.trash.restore("nothing")


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


def test_a_purge_meanwhile(served: Served) -> None:
    """A document that is on its way back is not purged by a server that purges at that moment."""
    kept = collected(served)
    folders = Folders.of(served.home / "fiduciaries", FIDUCIARY)
    purged: list[int] = []
    with kept_aside(served.home, lambda _: purged.append(purge(folders, time.time() + 99 * DAY, 1))) as aside:
        aside.trash.restore(kept)
    assert sum(purged) == 0
    assert served.published() == {"000204/scan.pdf": PDF}


def test_read_sees_no_trash(served: Served) -> None:
    """READ sees neither the trash nor what is on its way back."""
    collected(served)
    with served.collecting() as ftp, pytest.raises(ftplib.error_perm):
        ftp.cwd("/../trash")
    assert os.listdir(served.folder / "files" / "000204") == []
