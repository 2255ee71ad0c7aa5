"""Lets one server at a time have a home; never waits longer than a moment for another to leave it."""

import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from ftp_server.home import make_home
from transfer.failures import PermanentFailure

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_MOMENT = 1.0  # seconds: a look at who has it, or the end of the one before, takes no longer
_LOOK = 0.02


def locked(home: Path, moment: float = _MOMENT) -> BinaryIO:
    """Return an open file that keeps other servers out of ``home`` until it is closed, by whatever end.

    Raises ``server.home_taken`` when another server still has it after a ``moment`` in seconds.
    """
    make_home(home)
    file = _path(home).open("ab")
    until = time.monotonic() + moment
    while not _lock(file):
        if time.monotonic() > until:
            file.close()
            raise PermanentFailure("server.home_taken", home=str(home))
        threading.Event().wait(_LOOK)
    return file


def is_locked(home: Path) -> bool:
    """Tell whether a server has a home."""
    try:
        with _path(home).open("rb") as file:
            return not _lock(file, shared=True)
    except FileNotFoundError:
        return False
    except PermissionError:  # another user's: whoever asks may not know
        return True


def _path(home: Path) -> Path:
    return home / "server.lock"


def _lock(file: BinaryIO, *, shared: bool = False) -> bool:
    """Lock a file until it is closed, here and in forked processes; False when another program holds it."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
