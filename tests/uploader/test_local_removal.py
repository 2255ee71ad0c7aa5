"""What becomes of a local file once its receipt is there: removed, recycled or kept, and never another one."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from transfer.client_ini import AfterUpload
from transfer.failures import Failure
from transfer.fingerprints import Fingerprint, measure
from transfer.receipts import Receipt, confirm
from uploader.events import Fate
from uploader.history import History
from uploader.local_file import Seen, WatchedFile
from uploader.local_removal import LocalRemoval, recycle, remove
from uploader.sent_file import ToRecord

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def sent(path: Path, proven: bool = True) -> tuple[Receipt, Seen]:
    with WatchedFile(path) as file:
        found = measure(file)
    return confirm(str(path), found, found if proven else Fingerprint(None, None), "/000204/x"), file.seen


@pytest.fixture
def settle(tmp_path: Path) -> Any:
    """Let a file go as ``after`` says, with a history of its own."""
    history = History(tmp_path / "user")

    def run(path: Path, after: AfterUpload, proven: bool = True) -> tuple[Fate, Path | None]:
        receipt, seen = sent(path, proven)
        removal = LocalRemoval(after, "Envoyés", history, lambda: AT)
        place = removal.place(receipt)
        (line,) = history.record("target", [ToRecord(receipt, seen, place)], [], AT)
        done = removal.settle(receipt, seen, line, place)
        assert done[1] is None or history.latest("target", 1)[0].kept_as == str(done[1])
        return done

    yield run
    history.close()


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "docs" / "a.pdf"
    path.parent.mkdir()
    path.write_bytes(b"content")
    return path


def test_delete_removes_a_proven_file(settle: Any, document: Path) -> None:
    """With ``delete``, a file whose bytes are proven to be stored is deleted."""
    assert settle(document, AfterUpload.DELETE) == (Fate.REMOVED, None)
    assert list(document.parent.iterdir()) == []


@pytest.mark.parametrize("after", list(AfterUpload))
def test_the_servers_word_alone_deletes_nothing(settle: Any, document: Path, after: AfterUpload) -> None:
    """With no more proof than the server's reply, the file is kept among the sent ones, whatever the INI says."""
    fate, kept = settle(document, after, proven=False)
    assert fate is Fate.KEPT
    assert kept.read_bytes() == b"content"


def test_kept_files_never_replace_each_other(settle: Any, document: Path) -> None:
    """A name that is taken among the sent files gets a counter."""
    first = settle(document, AfterUpload.KEEP)[1]
    document.write_bytes(b"another")
    second = settle(document, AfterUpload.KEEP)[1]
    assert (first.name, second.name) == ("a.pdf", "a(2).pdf")
    assert (first.read_bytes(), second.read_bytes()) == (b"content", b"another")


def test_without_a_bin_a_file_is_kept(settle: Any, document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the recycle bin refuses, the file is kept instead of deleted."""
    import send2trash  # type: ignore[import-untyped]

    def refuses(_: str) -> None:
        raise OSError("no bin on this volume")

    monkeypatch.setattr(send2trash, "send2trash", refuses)
    fate, kept = settle(document, AfterUpload.RECYCLE)
    assert fate is Fate.KEPT
    assert kept.exists()


def test_files_go_to_the_bin_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two files with one name, sent at once from two folders, none takes the other's place in the bin."""
    import send2trash

    def looks_then_takes(path: str) -> None:
        target = next(place for place in (tmp_path / f"bin-{n}" for n in range(9)) if not place.exists())
        time.sleep(0.01)
        Path(path).replace(target)

    monkeypatch.setattr(send2trash, "send2trash", looks_then_takes)
    documents = [tmp_path / str(n) / "scan.pdf" for n in range(8)]
    for document in documents:
        document.parent.mkdir()
        document.write_bytes(str(document).encode())
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda document: recycle(*sent(document)), documents))
    assert len(list(tmp_path.glob("bin-*"))) == 8


def changed(path: Path) -> None:
    path.write_bytes(b"changed")


def replaced_with_same_marks(path: Path) -> None:
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [changed, replaced_with_same_marks])
@pytest.mark.parametrize("go", [remove, recycle])
def test_another_version_is_never_removed(document: Path, change: Any, go: Any) -> None:
    """A file that was written to, or replaced by one of the same size and time, stays."""
    receipt, seen = sent(document)
    change(document)
    content = document.read_bytes()
    with pytest.raises(Failure) as failed:
        go(receipt, seen)
    assert failed.value.code == "upload.changed"
    assert document.read_bytes() == content
