"""The list of the chosen folder: what is shown, what is left out, what is still being written."""

import os
import time
from pathlib import Path

import pytest

from transfer.failures import PermanentFailure
from uploader.folder import Folder

NOW = 1_795_000_000.0


def put(path: Path, content: bytes = b"x", age: float = 60) -> Path:
    path.write_bytes(content)
    os.utime(path, (NOW - age, NOW - age))
    return path


def names(folder: Folder, now: float = NOW) -> list[str]:
    return [file.path.name for file in folder.look(now)]


def test_only_finished_visible_files_are_listed(tmp_path: Path) -> None:
    """Hidden files, names of unfinished files, sub-folders and links are left out; the others come by name."""
    for name in ("b.pdf", "A.pdf", "élan 😀.pdf", ".hidden", "x.pdf.part", "~$letter.docx", "Thumbs.db", "scan.tmp"):
        put(tmp_path / name)
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "link.pdf").symlink_to(tmp_path / "b.pdf")
    assert names(Folder(tmp_path)) == ["A.pdf", "b.pdf", "élan 😀.pdf"]


def test_the_extensions_of_the_ini_leave_others_out(tmp_path: Path) -> None:
    """With extensions given, only files that end in one of them are listed, in any case."""
    for name in ("a.PDF", "b.jpg", "c.xml", "pdf"):
        put(tmp_path / name)
    assert names(Folder(tmp_path, (".pdf", ".xml"))) == ["a.PDF", "c.xml"]


def test_the_program_and_its_ini_are_left_out(tmp_path: Path) -> None:
    """Files that are not the client's documents are never listed, however their path is written."""
    put(tmp_path / "a.pdf")
    ini = put(tmp_path / "envoi.ini")
    written_otherwise = tmp_path / "." / ini.name
    assert names(Folder(tmp_path, never=[written_otherwise])) == ["a.pdf"]


def test_an_old_file_is_ready_and_a_fresh_one_is_not(tmp_path: Path) -> None:
    """At first sight a file's own time tells whether it stands still for three seconds."""
    put(tmp_path / "old.pdf", age=4)
    put(tmp_path / "fresh.pdf", age=1)
    assert {file.path.name: file.ready for file in Folder(tmp_path).look(NOW)} == {"old.pdf": True, "fresh.pdf": False}


def test_a_file_that_keeps_growing_is_never_ready(tmp_path: Path) -> None:
    """Each change of size or time begins the three seconds anew, even when the file's own time is old."""
    folder = Folder(tmp_path)
    for second in range(5):
        put(tmp_path / "scan.pdf", b"x" * (second + 1), age=3600)
        ready = folder.look(NOW + second)[0].ready
        assert ready == (second == 0)
    assert not folder.look(NOW + 6)[0].ready
    assert folder.look(NOW + 7)[0].ready


def test_a_file_from_the_future_becomes_ready_by_standing_still(tmp_path: Path) -> None:
    """A scanner whose clock is ahead does not keep its files from being sent."""
    put(tmp_path / "scan.pdf", age=-3600)
    folder = Folder(tmp_path)
    assert not folder.look(NOW)[0].ready
    assert folder.look(NOW + 3)[0].ready


def test_a_missing_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    """What is not a folder is said by its code and its path."""
    for path in (tmp_path / "gone", put(tmp_path / "file.pdf")):
        with pytest.raises(PermanentFailure) as failed:
            Folder(path).look(NOW)
        assert failed.value.code == "folder.missing"
        assert failed.value.values["folder"] == str(path)


def test_ten_thousand_files_are_listed_in_a_moment(tmp_path: Path) -> None:
    """A folder of 10,000 files is listed completely, and fast enough to do it after each change."""
    for number in range(10_000):
        (tmp_path / f"{number:05}.pdf").touch()
    folder = Folder(tmp_path)
    start = time.process_time()
    assert len(folder.look(NOW)) == 10_000
    assert time.process_time() - start < 2
