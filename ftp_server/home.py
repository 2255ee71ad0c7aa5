"""Keeps a server's home for its user alone: clients' documents come to lie there; never changes an older folder."""

import os
import sys
from pathlib import Path

from transfer.durable import make_folder


def make_home(folder: Path) -> None:
    """Make the folder if it is missing, closed to all other users of the machine."""
    if not folder.exists():
        make_folder(folder)
        folder.chmod(0o700)


def give_to_owner(path: Path) -> None:
    """Give what an administrator wrote into a folder to the folder's owner, who could not read it otherwise."""
    if sys.platform != "win32" and os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)
