"""What a start makes of what a stopped server left behind: one continuation for every state."""

from pathlib import Path

import pytest
from served import FIDUCIARY, PDF, sha256
from sqlalchemy import select

from ftp_server.board import Board
from ftp_server.deposits import Deposit, Deposits
from ftp_server.folders import Folders
from ftp_server.names import Names
from ftp_server.server import database
from ftp_server.settling import Leftovers
from ftp_server.staged import Staged, StagingFolder
from ftp_server.tables import suspects


class Stopped:
    """A server's folder after a stop, with what a test puts there."""

    def __init__(self, home: Path) -> None:
        self.database = database(home)
        self.deposits = Deposits(self.database, Board())
        self.folders = Folders.of(home / "fiduciaries", FIDUCIARY)

    def stage(self, deposit_id: str, data: bytes) -> Path:
        folder = self.folders.staging / "worker"
        folder.mkdir(exist_ok=True)
        (folder / deposit_id).write_bytes(data)
        return folder / deposit_id

    def deposit(self, deposit_id: str, name: str = "scan.pdf") -> Deposit:
        place = (deposit_id.rjust(64, "0"), FIDUCIARY, "WRITE_570013", "/000204", name)
        return Deposit(deposit_id, *place, len(PDF), sha256(PDF), "127.0.0.1", "end_mark", 1.0)

    def row(self, deposit_id: str, name: str = "scan.pdf") -> None:
        self.deposits.record_at_once(self.deposit(deposit_id, name))

    def carrying(self, deposit_id: str, data: bytes) -> Path:
        folder = StagingFolder(self.folders.staging / "worker")
        staged = Staged(folder, deposit_id)
        staged.write(memoryview(data))
        assert staged.seal(self.deposit(deposit_id))
        staged.close()
        folder.close()
        return staged.path

    def start(self) -> None:
        Leftovers(FIDUCIARY, self.folders, self.deposits, Names(Board()), 2.0).sort()

    def published(self) -> dict[str, bytes]:
        folder = self.folders.files / "000204"
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}

    def suspects(self) -> dict[str, str]:
        kept = {path.name for path in self.folders.suspects.iterdir()}
        with self.database.read() as connection:
            rows = dict(connection.execute(select(suspects.c.id, suspects.c.reason)).tuples().all())
        assert kept == set(rows)
        return rows

    def close(self) -> None:
        assert list(self.folders.staging.rglob("*")) == []
        self.deposits.close()
        self.database.close()


@pytest.fixture
def stopped(tmp_path: Path):
    left = Stopped(tmp_path)
    yield left
    left.close()


def test_bytes_without_a_row(stopped: Stopped) -> None:
    """Bytes without a row were never answered: they are kept as suspect."""
    stopped.stage("a1", PDF[:500])
    stopped.start()
    assert stopped.published() == {}
    assert stopped.suspects() == {"a1": "server_stopped"}


def test_nothing_received(stopped: Stopped) -> None:
    """An empty staging file without a row holds nothing and goes."""
    stopped.stage("a1", b"")
    stopped.start()
    assert stopped.suspects() == {}


def test_row_before_the_sync(stopped: Stopped) -> None:
    """A row whose bytes did not reach the disk is taken back, so that the sender's retry is stored."""
    stopped.stage("a1", PDF[:-100])
    stopped.row("a1")
    stopped.start()
    assert stopped.published() == {}
    assert stopped.suspects() == {"a1": "server_stopped"}
    assert stopped.deposits.find("a1") is None


def test_row_and_bytes(stopped: Stopped) -> None:
    """A row with all its bytes is published."""
    stopped.stage("a1", PDF)
    stopped.row("a1")
    stopped.start()
    assert stopped.published() == {"scan.pdf": PDF}


def test_receipt_and_bytes(stopped: Stopped) -> None:
    """A file that carries its receipt and differs in nothing is published and gets its row."""
    stopped.carrying("a1", PDF)
    stopped.start()
    assert stopped.published() == {"scan.pdf": PDF}
    assert stopped.deposits.find("a1") == stopped.deposit("a1")


def test_receipt_before_the_sync(stopped: Stopped) -> None:
    """A file that differs from the receipt it carries is kept as suspect."""
    stopped.carrying("a1", PDF[:-100])
    stopped.start()
    assert stopped.published() == {}
    assert stopped.suspects() == {"a1": "server_stopped"}


def test_receipt_linked_under_another_name(stopped: Stopped) -> None:
    """A file that was published under a counted name before its row was written is not published again."""
    stage = stopped.carrying("a1", PDF)
    target = stopped.folders.files / "000204"
    target.mkdir()
    (target / "scan.pdf").write_bytes(b"another")
    (target / "scan(2).pdf").hardlink_to(stage)
    stopped.start()
    assert stopped.published() == {"scan.pdf": b"another", "scan(2).pdf": PDF}
    found = stopped.deposits.find("a1")
    assert found is not None
    assert found.name == "scan(2).pdf"


def test_linked(stopped: Stopped) -> None:
    """A document that has its name already stays published once."""
    stage = stopped.stage("a1", PDF)
    stopped.row("a1")
    target = stopped.folders.files / "000204"
    target.mkdir()
    (target / "scan.pdf").hardlink_to(stage)
    stopped.start()
    assert stopped.published() == {"scan.pdf": PDF}


def test_name_taken_meanwhile(stopped: Stopped) -> None:
    """A document whose name another took meanwhile gets a counter, and its row tells so."""
    stopped.stage("a1", PDF)
    stopped.row("a1")
    target = stopped.folders.files / "000204"
    target.mkdir()
    (target / "scan.pdf").write_bytes(b"another")
    stopped.start()
    assert stopped.published() == {"scan.pdf": b"another", "scan(2).pdf": PDF}
    found = stopped.deposits.find("a1")
    assert found is not None
    assert found.name == "scan(2).pdf"


def test_folder_that_is_a_document(stopped: Stopped) -> None:
    """A document whose folder has meanwhile become another document's name lies beside it, and its row tells where."""
    stopped.stage("a1", PDF)
    stopped.row("a1")
    (stopped.folders.files / "000204").write_bytes(b"another")
    stopped.start()
    assert (stopped.folders.files / "000204").read_bytes() == b"another"
    assert (stopped.folders.files / "000204(2)" / "scan.pdf").read_bytes() == PDF
    found = stopped.deposits.find("a1")
    assert found is not None
    assert found.folder == "/000204(2)"


def test_collected(stopped: Stopped) -> None:
    """A document that was collected before its staging name went is not published again."""
    stopped.stage("a1", PDF)
    stopped.row("a1")
    stopped.deposits.collected(["a1"], 1.5)
    stopped.start()
    assert stopped.published() == {}
    assert stopped.suspects() == {}


def test_sorting_twice_changes_nothing(stopped: Stopped) -> None:
    """A start that is itself cut off can be repeated."""
    for n in range(3):
        stopped.stage(f"a{n}", PDF)
        stopped.row(f"a{n}", f"{n}.pdf")
    stopped.start()
    stopped.start()
    assert set(stopped.published()) == {"0.pdf", "1.pdf", "2.pdf"}
