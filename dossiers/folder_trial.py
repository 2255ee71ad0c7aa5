"""Tries whether documents can go to a dossier's folder: writes a probe there and removes it; never makes a folder."""

import secrets
from pathlib import Path

from dossiers.disk import Disk
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from transfer.in_progress import OWN_PREFIX

_PROBE = b"Navette"


def try_folder(firm: Firm, dossier: Dossier, disk: Disk | None = None) -> Path:
    """Write a hidden probe where the next document would go, sync it, take it away, and return that folder.

    What is missing below the part that must exist is made when a document comes, so the probe goes to the deepest
    folder that is there. Refused with a ``delivery.`` code.
    """
    disk = disk or Disk()
    folder, anchor = dossier.folder(firm.root, firm.clock()), dossier.anchor(firm.root)
    there = folder
    while there != anchor and not there.is_dir() and there.parent != there:
        there = there.parent
    part = disk.create(there / f"{OWN_PREFIX}probe-{secrets.token_hex(4)}", anchor)
    try:
        part.write(_PROBE)
        for failure in disk.sync([part]).values():
            raise failure
    finally:
        part.close()
        disk.discard(part.path)
    return folder
