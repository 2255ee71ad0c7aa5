"""What a sender is told of a document: its own, newest first, and whether the firm has collected it."""

from pathlib import Path

import pytest
from kept_aside import answered, collect, cut_off, deposit, kept_aside, told
from served import FIDUCIARY, PDF, Served, serving, sha256

from ftp_server.board import Board
from ftp_server.deposits import Deposit, Deposits
from ftp_server.server import database
from ftp_server.tracking import LIMIT, receipt_lines, receipts
from transfer.failures import PermanentFailure

WRITE = f"WRITE_{FIDUCIARY}"
DOSSIER = f"WRITE_{FIDUCIARY}_000204"


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


def recorded(home: Path, *told_of: Deposit) -> None:
    opened = database(home)
    deposits = Deposits(opened, Board())
    for each in told_of:
        deposits.record(each)
    deposits.close()
    opened.close()


def made(n: int, login: str = WRITE, name: str = "scan.pdf", collected_at: float | None = None) -> Deposit:
    place = (f"key{n}", FIDUCIARY, login, "/000204", name, n, f"{n:064x}", "127.0.0.1", "end_mark")
    return Deposit(f"{n:032x}", *place, float(n), collected_at)


def test_lines() -> None:
    """A receipt says where and when, how large, which bytes, and whether it was collected."""
    assert receipt_lines(made(1_700_000_000)) == [
        "Path: /000204/scan.pdf",
        "Received: 2023-11-14T22:13:20Z",
        "Size: 1700000000",
        f"SHA-256: {1_700_000_000:064x}",
        "Collected: not yet",
    ]
    assert receipt_lines(made(1, collected_at=86_400.9))[-1] == "Collected: 1970-01-02T00:00:00Z"


def test_newest_first_and_bounded(tmp_path: Path) -> None:
    """Of a name that is used each day, the newest are told, and not more than the limit."""
    recorded(tmp_path, *(made(n) for n in range(1, LIMIT + 6)))
    opened = database(tmp_path)
    found = receipts(opened, WRITE, "scan.pdf")
    assert [each.size for each in found] == list(range(LIMIT + 5, 5, -1))
    assert [each.size for each in receipts(opened, WRITE, f"{7:064X}")] == [7]
    assert receipts(opened, WRITE, "other.pdf") == []
    opened.close()


def test_only_its_own(served: Served) -> None:
    """No account is told of what another deposited, neither by name, nor by hash, nor by path."""
    deposit(served, "/000204/scan.pdf")
    deposit(served, "scan.pdf", PDF + b"\n", DOSSIER)
    served.server._deposits.flush()
    opened = database(served.home)
    for sought, own, others in (("scan.pdf", WRITE, DOSSIER), (sha256(PDF), WRITE, DOSSIER)):
        assert [each.login for each in receipts(opened, own, sought)] == [own]
        assert [each.sha256 for each in receipts(opened, others, sought)] != [sha256(PDF)]
    assert receipts(opened, WRITE, sha256(PDF + b"\n")) == []
    assert receipts(opened, f"READ_{FIDUCIARY}", "scan.pdf") == []
    with pytest.raises(PermanentFailure, match=r"account\.bad_login"):
        receipts(opened, "nobody", "scan.pdf")
    opened.close()


def test_by_path(served: Served) -> None:
    """A path means what it means in a session of that account: a dossier's account begins in its dossier."""
    deposit(served, "/a/scan.pdf", PDF, DOSSIER)
    served.server._deposits.flush()
    opened = database(served.home)
    assert [each.folder for each in receipts(opened, DOSSIER, "/a/scan.pdf")] == ["/000204/a"]
    assert receipts(opened, DOSSIER, "/000204/a/scan.pdf") == []
    assert receipts(opened, WRITE, "/000204/a/scan.pdf") == []
    opened.close()


def test_by_hand(served: Served, tmp_path: Path) -> None:
    """The host is told as the sender is, in words or in JSON; nothing found is no success."""
    deposit(served, "/000204/scan.pdf")
    waiting = answered(tmp_path, "receipt", WRITE, "scan.pdf").stdout
    assert "not yet collected by the firm" in waiting
    assert sha256(PDF) in waiting
    collect(served, "/000204/scan.pdf")
    assert "\n    collected by the firm 20" in answered(tmp_path, "receipt", WRITE, sha256(PDF)).stdout
    assert told(tmp_path, "receipt", WRITE, "/000204/scan.pdf")[0]["evidence"] == "end_mark"
    nothing = answered(tmp_path, "receipt", DOSSIER, "scan.pdf")
    assert (nothing.returncode, nothing.stderr) == (1, "")


def test_a_released_suspect_has_a_receipt(served: Served) -> None:
    """A file that a person released was received when it came."""
    kept = cut_off(served, "/000204/scan.pdf")
    with kept_aside(served.home) as aside:
        came = aside.suspects.list()[0].suspect.received_at
        aside.release(kept)
        assert [each.received_at for each in receipts(aside.database, WRITE, "scan.pdf")] == [came]
