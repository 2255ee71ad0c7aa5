"""The history on the client's PC: what it remembers, and what it survives."""

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from transfer.failures import Failure, PermanentFailure
from transfer.fingerprints import Fingerprint
from transfer.following import Followed
from transfer.receipts import Proof, Receipt, confirm
from uploader.events import Fate
from uploader.history import History, data_folder, version_key
from uploader.local_file import Seen
from uploader.sent_file import Placed, ToRecord

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SEEN = Seen(size=3, mtime_ns=123_456_789_012_345_678, inode=1, device=2)
SENT = Fingerprint(3, "ab" * 32)


def receipt(path: str = "/docs/a.pdf", proof: Proof = Proof.SIZE) -> Receipt:
    told = {Proof.HASH: SENT, Proof.SIZE: Fingerprint(3, None), Proof.REPLY: Fingerprint(None, None)}
    return confirm(path, SENT, told[proof], "/000204/a.pdf")


def test_what_was_recorded_is_found_by_another_start(tmp_path: Path) -> None:
    """A line outlives the program: where, when, how proven, and what became of the local file."""
    history = History(tmp_path)
    (number,) = history.record("target", [ToRecord(receipt(proof=Proof.HASH), SEEN)], [], AT)
    history.settle(number, Fate.KEPT, Path("/docs/Envoyés/2026-11/a.pdf"))
    history.close()
    again = History(tmp_path)
    (line,) = again.latest("target", 10)
    again.close()
    assert (line.path, line.size, line.mtime_ns, line.sha256) == ("/docs/a.pdf", 3, SEEN.mtime_ns, "ab" * 32)
    assert (line.stored_as, line.proof, line.sent_at) == ("/000204/a.pdf", Proof.HASH, AT)
    assert (line.fate, line.kept_as) == (Fate.KEPT, "/docs/Envoyés/2026-11/a.pdf")


def test_each_target_has_its_own_history(tmp_path: Path) -> None:
    """What was sent to one dossier counts as new for another."""
    history = History(tmp_path)
    history.record("one", [ToRecord(receipt(), SEEN)], [], AT)
    assert history.unsettled("one", Path("/docs/a.pdf"), SEEN) is not None
    assert history.unsettled("other", Path("/docs/a.pdf"), SEEN) is None
    assert version_key(Path("/docs/a.pdf"), 3, SEEN.mtime_ns) in history.versions_sent("one")
    assert history.versions_sent("other") == set()
    history.close()


@pytest.mark.parametrize("proof", list(Proof))
def test_a_receipt_made_anew_is_as_strong_as_it_was(tmp_path: Path, proof: Proof) -> None:
    """From its line, a receipt is made again with the same proof, and only for the same bytes."""
    history = History(tmp_path)
    history.record("target", [ToRecord(receipt(proof=proof), SEEN)], [], AT)
    (line,) = history.latest("target", 1)
    history.close()
    assert line.receipt_for(Path("/docs/a.pdf"), SENT) == receipt(proof=proof)
    with pytest.raises(PermanentFailure) as failed:
        line.receipt_for(Path("/docs/a.pdf"), Fingerprint(3, "cd" * 32))
    assert failed.value.code == "receipt.hash_differs"


def test_a_kill_right_after_recording_loses_nothing(tmp_path: Path) -> None:
    """A line is on the disk when ``record`` returns, whatever happens to the program next."""
    program = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "from tests.uploader import test_history as t\n"
        "t.History(t.Path(sys.argv[1])).record('target', [t.ToRecord(t.receipt(), t.SEEN)], [], t.AT)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(ROOT)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    history = History(tmp_path)
    assert len(history.latest("target", 10)) == 1
    history.close()


def test_writes_are_synced(tmp_path: Path) -> None:
    """The database runs in WAL with full synchronisation, so that a power cut keeps what was answered."""
    history = History(tmp_path)
    database = history._file.database
    assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert database.execute("PRAGMA synchronous").fetchone()[0] == 2
    history.close()


def test_a_damaged_history_is_set_aside_and_the_program_starts(tmp_path: Path) -> None:
    """A history that is no longer readable is kept beside a new one; it never stops an upload."""
    (tmp_path / "history.db").write_bytes(b"this was a database once" * 100)
    history = History(tmp_path)
    history.record("target", [ToRecord(receipt(), SEEN)], [], AT)
    history.close()
    assert (tmp_path / "damaged-history.db").read_bytes().startswith(b"this was a database once")


def test_a_folder_that_cannot_be_made_is_said_by_its_code(tmp_path: Path) -> None:
    """Where no history can be kept, the upload is refused with a sentence rather than run without one."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Failure) as failed:
        History(tmp_path / "file" / "user")
    assert failed.value.code == "history.unusable"


def test_settings_are_remembered(tmp_path: Path) -> None:
    """Small values such as the last folder outlive the program; an unknown one has its default."""
    history = History(tmp_path)
    assert history.setting("folder", "none") == "none"
    history.remember("folder", "/docs")
    history.remember("folder", "/docs/été")
    history.close()
    again = History(tmp_path)
    assert again.setting("folder") == "/docs/été"
    assert again.installation() == again.installation() != ""
    again.close()


def test_names_that_are_no_text_are_recorded(tmp_path: Path) -> None:
    """A file name in an old encoding does not end the upload."""
    history = History(tmp_path)
    path = os.fsdecode(b"/docs/factur\xe9e.pdf")
    history.record("target", [ToRecord(receipt(path), SEEN)], [], AT)
    assert history.unsettled("target", Path(path), SEEN) is not None
    history.close()


def test_the_name_a_file_was_about_to_get_is_known_until_it_is_recorded(tmp_path: Path) -> None:
    """The intended remote name is there for this version of the file only, and goes with its receipt."""
    history = History(tmp_path)
    path, placed = Path("/docs/a.pdf"), Placed("/000204/a.pdf", part="/000204/a.pdf.0.part")
    history.place("target", path, SEEN, placed)
    assert history.placed("target", path, SEEN) == placed
    assert history.placed("target", path, Seen(4, SEEN.mtime_ns, 1, 2)) is None
    history.record("target", [ToRecord(receipt(), SEEN)], [], AT)
    assert history.placed("target", path, SEEN) is None
    history.close()


def test_the_lock_of_a_killed_upload_is_free(tmp_path: Path) -> None:
    """The only-upload lock ends with the program that held it."""
    program = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\nfrom uploader.history import History\n"
        "with History(Path(sys.argv[1])).only_upload('target'):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path), str(ROOT)], check=False)
    history = History(tmp_path)
    with history.only_upload("target"), history.only_upload("other target"):
        with pytest.raises(Failure) as failed, History(tmp_path).only_upload("target"):
            raise AssertionError("both hold it")
        assert failed.value.code == "upload.runs_already"
    history.close()


def test_the_data_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """NAVETTE_DATA decides; otherwise the platform's place for a user's data."""
    monkeypatch.setenv("NAVETTE_DATA", str(tmp_path / "named"))
    assert data_folder() == tmp_path / "named"
    monkeypatch.delenv("NAVETTE_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_folder() == tmp_path / "xdg" / "navette"


def test_the_database_is_plain_sqlite(tmp_path: Path) -> None:
    """Support staff can read the history with any SQLite program."""
    history = History(tmp_path)
    history.record("target", [ToRecord(receipt(), SEEN)], [], AT)
    history.close()
    database = sqlite3.connect(tmp_path / "history.db")
    assert database.execute("SELECT path, stored_as FROM sent").fetchall() == [("/docs/a.pdf", "/000204/a.pdf")]
    database.close()


def test_a_history_of_an_earlier_uploader_is_brought_up_to_date(tmp_path: Path) -> None:
    """Lines written before receipts were followed are still there, and can be followed from now on."""
    History(tmp_path).close()
    old = sqlite3.connect(tmp_path / "history.db")
    old.execute("ALTER TABLE sent DROP COLUMN received_at")
    old.execute("ALTER TABLE sent DROP COLUMN collected_at")
    old.execute(
        "INSERT INTO sent VALUES (1, 'target', '/docs/a.pdf', 3, 4, 'ab', '/a.pdf', 'hash', ?, 'removed', NULL)",
        (AT.isoformat(),),
    )
    old.commit()
    old.close()
    history = History(tmp_path)
    told = Followed("/000204/a.pdf", "ab", AT, AT)
    assert [line.number for line in history.uncollected("target", 5)] == [1]
    history.note({1: told})
    (line,) = history.latest("target", 1)
    assert (line.received_at, line.collected_at) == (AT, AT)
    assert history.uncollected("target", 5) == []
    history.close()


def test_threads_that_write_together_all_have_their_lines(tmp_path: Path) -> None:
    """Writes of many threads share commits, and each is there when its call returns."""
    history = History(tmp_path)

    def write(n: int) -> bool:
        history.place("target", Path(f"/docs/{n}.pdf"), SEEN, Placed(f"/{n}.pdf", None))
        return history.placed("target", Path(f"/docs/{n}.pdf"), SEEN) == Placed(f"/{n}.pdf", None)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(write, range(200)))
    assert len(history.unfinished("target")) == 200
    history.close()


def test_every_writer_hears_of_a_disk_that_refuses(tmp_path: Path) -> None:
    """When a shared commit fails, none of those who waited for it believes to be written down."""
    history = History(tmp_path)
    history._file.database.execute("PRAGMA query_only = ON")

    def refused(n: int) -> bool:
        try:
            history.remember(f"setting {n}", "x")
        except Failure as failure:
            return failure.code == "history.unusable"
        return False

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(refused, range(40)))
    history._file.database.execute("PRAGMA query_only = OFF")
    history.remember("setting", "again")
    assert history.setting("setting") == "again"
    history.close()
