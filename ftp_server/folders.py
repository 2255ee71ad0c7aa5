"""Where a fiduciary's files lie on the server's disk; never decides what becomes of them."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from transfer.durable import make_folder
from transfer.safe_names import numbered

Folder = tuple[str, ...]
"""A folder below a fiduciary's root, as safe names from the top."""


@dataclass(frozen=True)
class Folders:
    """The folders of one fiduciary, all on one volume so that a name can move between them in one step.

    ``files`` is what READ sees as its root; ``staging`` holds what is being received, ``suspects`` what proved
    doubtful, ``trash`` what was collected and removed.
    """

    files: Path
    staging: Path
    suspects: Path
    trash: Path

    @classmethod
    def of(cls, root: Path, fiduciary: str) -> "Folders":
        """Return a fiduciary's folders below the server's root, made if they are missing."""
        top = root / fiduciary
        folders = cls(top / "files", top / "staging", top / "suspects", top / "trash")
        for folder in (folders.files, folders.staging, folders.suspects, folders.trash):
            make_folder(folder)
        return folders

    def free_of_documents(self, folder: Folder) -> Folder:
        """Return a folder that no document stands in the way of: a part that one has for its name gets a counter."""
        free: Folder = ()
        for part in folder:
            name, n = part, 2
            while self.files.joinpath(*free, name).is_file():  # one look: between two the folder may be made
                name, n = numbered(part, n), n + 1
            free += (name,)
        return free

    def published(self, folder: Folder, name: str = "") -> Path:
        """Return the disk path of a published file or folder."""
        return self.files.joinpath(*folder, name) if name else self.files.joinpath(*folder)


def fiduciaries_of(home: Path) -> Path:
    """Return the folder in a server's home that holds those of its fiduciaries."""
    return home / "fiduciaries"


def new_id() -> str:
    """Return a name for a deposit that no other deposit ever has: 32 hex digits, the last 18 of them random.

    They begin with the time, so that rows made one after the other lie together in the database and cost few writes.
    """
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(9)}"


def shown(folder: Folder, name: str = "") -> str:
    """Return a path as a session sees it: ``/000204/scan.pdf``."""
    return "/" + "/".join([*folder, *([name] if name else [])])


def parts_of(path: str) -> Folder:
    """Return the folder that :func:`shown` wrote as ``path``."""
    return tuple(part for part in path.split("/") if part)
