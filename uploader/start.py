"""Finds what the uploader needs to start: its INI, and from it all else; never shows anything."""

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
