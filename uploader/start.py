"""Finds the INI the uploader starts with, and opens its log; never reads the one or shows the other."""

import contextlib
import logging
import logging.handlers
import sys
from pathlib import Path

from transfer.failures import PermanentFailure

_USUAL = "envoi.ini"


def program_folder() -> Path:
    """Return the folder the program was copied into; run from Python, the current one."""
    return Path(sys.executable).parent if getattr(sys, "frozen", False) else Path.cwd()


def find_ini(folder: Path) -> Path:
    """Return ``envoi.ini`` or else the only INI of a folder; refuse with ``start.no_ini`` or ``start.several_inis``."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() == ".ini" and path.name != "desktop.ini")
    usual = [path for path in found if path.name.lower() == _USUAL]
    if not found:
        raise PermanentFailure("start.no_ini", folder=str(folder))
    if not usual and len(found) > 1:
        raise PermanentFailure("start.several_inis", folder=str(folder), number=len(found))
    return (usual or found)[0]


def keep_log(folder: Path) -> None:
    """Write what no one foresaw to ``uploader.log`` in the user's own folder, instead of showing it to a client."""
    log = logging.getLogger("navette.uploader")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            folder / "uploader.log", maxBytes=1_000_000, backupCount=1, encoding="utf-8", delay=True
        )
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(file)
