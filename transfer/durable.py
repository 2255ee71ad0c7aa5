"""Puts the names of files on stable storage; never writes or removes a file."""

import contextlib
import os
import sys
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on stable storage (Windows keeps names in order by itself)."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents; return once their names are on stable storage. One that exists is as good."""
    missing = []
    while not folder.is_dir() and folder != folder.parent:  # a drive that is not there has no parent that is
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            path.mkdir()
        sync_folder(path.parent)


def same_file(one: Path, other: Path) -> bool:
    """Tell whether two names exist and stand for the same file."""
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False
