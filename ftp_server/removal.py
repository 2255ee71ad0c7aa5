"""Takes a published document out of sight, into the trash; never decides that one goes, and never notes why it went."""

import contextlib
from pathlib import Path

from ftp_server.deposits import Deposit
from ftp_server.folders import Folders, new_id, parts_of
from ftp_server.publishing import Publishing
from ftp_server.staged import carried


def to_trash(publishing: Publishing, folders: Folders, path: Path, receipt: Deposit | None) -> None:
    """Move a published file, whose row says already that it is gone, to the trash under its deposit's id."""
    if receipt:
        forget_staged(publishing, folders, path, receipt.id)
    try:
        path.replace(folders.trash / (receipt.id if receipt else _free(folders.trash, path.name)))
    except FileNotFoundError:  # another session of this account was faster, or it has just got another name
        moved = receipt and _moved(publishing, folders, path, receipt.id)
        if moved:
            to_trash(publishing, folders, moved, receipt)
    publishing.names.release(path.parent, path.name)


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
