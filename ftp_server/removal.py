"""Takes a published document out of sight, into the trash; never decides that one goes, and never notes why it went."""

import contextlib
from pathlib import Path

from ftp_server.deposits import Deposit
from ftp_server.folders import Folders, new_id, parts_of
from ftp_server.publishing import Publishing
from ftp_server.staged import carried

Identity = tuple[int, int]
"""What tells a file from another that later bears its name."""


def identity(path: Path) -> Identity:
    """Return which file a path leads to now; raises FileNotFoundError."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def to_trash(publishing: Publishing, folders: Folders, path: Path, receipt: Deposit | None, seen: Identity) -> None:
    """Move a published file, whose row says already that it is gone, to the trash under its deposit's id.

    Only if it still is the file that was ``seen``: another session of this account may have been faster, and another
    document have been given the name since.
    """
    if receipt:
        forget_staged(publishing, folders, path, receipt.id)
    if not _put(publishing, path, folders.trash / (receipt.id if receipt else _free(folders.trash, path.name)), seen):
        moved = receipt and _moved(publishing, folders, path, receipt.id)
        if moved:
            to_trash(publishing, folders, moved, receipt, seen)


def _put(publishing: Publishing, path: Path, there: Path, seen: Identity) -> bool:
    """Move a file into the trash, and let its name be given again; False if it is no longer the one that has it."""
    try:
        with publishing.names.turn():  # no other session moves it between the look and the move
            if identity(path) != seen:
                return False
            path.replace(there)
    except FileNotFoundError:
        return False
    publishing.names.release(path.parent, path.name)
    return True


def _moved(publishing: Publishing, folders: Folders, path: Path, deposit_id: str) -> Path | None:
    """Return where a document is published that is no longer at its ``path``."""
    row = publishing.deposits.find(deposit_id)
    there = folders.published(parts_of(row.folder), row.name) if row else path
    receipt = carried(there) if there != path else None
    return there if receipt and receipt.id == deposit_id else None


def forget_staged(publishing: Publishing, folders: Folders, path: Path, deposit_id: str) -> None:
    """Remove the staging name, which another process may still hold: a start must not publish the document again."""
    publishing.settling.forget(deposit_id)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_nlink > 1:
            for stage in folders.staging.glob(f"*/{deposit_id}"):
                stage.unlink(missing_ok=True)


def _free(folder: Path, name: str) -> str:
    """Return a name that nothing in the trash has: what no row tells of may bear any."""
    return name if not (folder / name).exists() else f"{new_id()[-8:]}-{name}"
