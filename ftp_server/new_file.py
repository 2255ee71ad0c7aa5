"""Writes a file that must not be there yet, whole or not at all; never writes over one."""

import os
from pathlib import Path

from transfer.durable import sync_folder
from transfer.failures import PermanentFailure


def refuse_existing(path: Path) -> None:
    """Refuse a path that is taken with ``new_file.exists``, before any work is done for it."""
    if path.exists() or path.is_symlink():
        raise PermanentFailure("new_file.exists", file=str(path))


def write_new(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file with these rights and return once it is on stable storage.

    Raises ``new_file.exists`` and ``new_file.not_written``; what was begun is then gone.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    except FileExistsError:
        raise PermanentFailure("new_file.exists", file=str(path)) from None
    except OSError as error:
        raise PermanentFailure("new_file.not_written", file=str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise PermanentFailure("new_file.not_written", file=str(path)) from error
