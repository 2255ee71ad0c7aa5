"""Folders and names that survive a power cut."""

import os
from pathlib import Path

import pytest

from transfer.durable import make_folder, same_file, sync_folder


def test_a_folder_is_made_with_its_parents_and_again(tmp_path: Path) -> None:
    """A folder and the missing ones above it are made; one that exists is as good."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    sync_folder(tmp_path / "a" / "b")


def test_a_file_in_the_way_is_no_folder(tmp_path: Path) -> None:
    """Where a file has the folder's name, or a folder to sync is gone, the system's error passes."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(OSError, match="a"):
        make_folder(tmp_path / "a" / "b")
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "none")


def test_two_names_of_one_file_are_told_from_two_files(tmp_path: Path) -> None:
    """A hard link is the same file, equal bytes are not, and a missing file is the same as none."""
    one, link, other = tmp_path / "one", tmp_path / "link", tmp_path / "other"
    one.write_bytes(b"x")
    other.write_bytes(b"x")
    os.link(one, link)
    assert same_file(one, link)
    assert not same_file(one, other)
    assert not same_file(one, tmp_path / "none")
