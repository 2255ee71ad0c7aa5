"""Puts the names of files on stable storage; never writes or removes a file."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

_SYNC_FILE_RANGE_WRITE = 2  # linux/fs.h: begin to write, wait for nothing


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on stable storage (Windows keeps names in order by itself)."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def begin_writing(fd: int, offset: int) -> None:
    """Let the disk begin with a file's bytes from ``offset`` on, waiting for nothing; only a later sync promises."""
    if _sync_file_range:
        _sync_file_range(fd, offset, 0, _SYNC_FILE_RANGE_WRITE)


def _found_sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """Return Linux's sync_file_range(2), which Python does not offer, or None where there is none."""
    if sys.platform != "linux":
        return None
    try:
        found = ctypes.CDLL(None).sync_file_range
    except AttributeError:
        return None
    found.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return found


_sync_file_range = _found_sync_file_range()


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
