"""Lets one server at a time have a home; never waits for another to leave it."""

import sys
from pathlib import Path
from typing import BinaryIO

from transfer.durable import make_folder
from transfer.failures import PermanentFailure


def locked(home: Path) -> BinaryIO:
    """Return an open file that keeps other servers out of ``home`` until it is closed, by whatever end.

    Raises ``server.home_taken`` when another server has it.
    """
    make_folder(home)
    file = (home / "server.lock").open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise PermanentFailure("server.home_taken", home=str(home)) from None
    return file
