"""Gives a published document another name, or takes it back: never replaces one, and never leaves two.

The document goes back into staging first, in one step. Its row then tells what a start makes of it there
(:mod:`ftp_server.settling`), so that every instant has one continuation:

==========================  ===========================================
died after                  the next start
==========================  ===========================================
it was lifted into staging  publishes it under its old name
the row of its new name     publishes it under that
the link                    removes the staging name
the row that takes it back  moves it to the trash
==========================  ===========================================
"""

from pathlib import Path

from ftp_server.deposits import Deposit
from ftp_server.folders import Folders, parts_of, shown
from ftp_server.publishing import Publishing
from ftp_server.removal import forget_staged, identity, to_trash
from transfer.durable import make_folder, sync_folder

AGAIN = "sent_again"
"""The evidence of a document that was withdrawn because another one has its bytes and the name meant for it."""


def move(publishing: Publishing, folders: Folders, deposit: Deposit, renamed: Deposit) -> Deposit | None:
    """Give a published document the place and the retry key of ``renamed``; None when it was collected already.

    READ may remove it under its old name in the meantime: it is then found under the new one, there or here.
    """
    deposits, names = publishing.deposits, publishing.names
    folder = folders.free_of_documents(parts_of(renamed.folder))
    target = folders.published(folder)
    make_folder(target)  # what the disk may refuse comes before the document is out of sight
    stage = _lifted(publishing, folders, deposit)
    if stage is None:
        return None
    name = names.reserve(target, renamed.name)
    placed = deposit._replace(folder=shown(folder), name=name, retry_key=renamed.retry_key)
    if not deposits.move(placed):
        names.release(target, name)
        stage.replace(folders.trash / deposit.id)
        return None
    publishing.reached("move.recorded")
    placed = publishing.link(placed, str(stage), str(target), renamed.name)
    sync_folder(target)
    publishing.reached("move.linked")
    seen = identity(stage)
    stage.unlink()
    now = deposits.find(deposit.id)
    if now and now.collected_at is not None:
        to_trash(publishing, folders, target / placed.name, placed, seen)
    return placed


def withdraw(publishing: Publishing, folders: Folders, deposit: Deposit, at: float, evidence: str) -> bool:
    """Move a published document to the trash and note why; False when it was collected already."""
    stage = _lifted(publishing, folders, deposit)
    if stage is None:
        return False
    withdrawn = publishing.deposits.take_back(deposit.id, at, evidence)
    publishing.reached("move.withdrawn")
    stage.replace(folders.trash / deposit.id)
    return withdrawn


def move_known(
    publishing: Publishing, folders: Folders, key: str, renamed: Deposit, *, at: float, spare: Path | None = None
) -> tuple[Deposit, bool] | None:
    """Move what was received under a retry key, None if nothing was; its ``spare``, the same bytes in staging, goes.

    Return the document and whether it is an earlier one that stays as it was: it was collected, or its new name has
    these very bytes already, and then those under the old name are withdrawn.
    """
    deposits = publishing.deposits
    found = {each: deposits.begin(each) for each in sorted({key, renamed.retry_key})}
    try:
        earlier, there = found[key], found[renamed.retry_key]
        if earlier is None:
            return None
        if spare:
            spare.unlink()
            sync_folder(spare.parent)
        if earlier.collected_at is not None or key == renamed.retry_key:
            return there or earlier, True
        if there:
            withdraw(publishing, folders, earlier, at, AGAIN)
            return there, True
        moved = move(publishing, folders, earlier, renamed)
        return moved or earlier, moved is None
    finally:
        rows = [deposits.find(each.id) for each in found.values() if each]
        for each in found:
            deposits.end(each, received=each in {row.retry_key for row in rows if row})


def _lifted(publishing: Publishing, folders: Folders, deposit: Deposit) -> Path | None:
    """Take a published document back into staging and return it there; None when it is no longer where it was.

    Another document may have its name by then. READ notes that it collects one before it moves it away.
    """
    old, stage = folders.published(parts_of(deposit.folder), deposit.name), folders.staging / deposit.id
    publishing.deposits.flush()  # once its row is written, no other staging name is needed
    forget_staged(publishing, folders, old, deposit.id)
    with publishing.names.turn():  # so that it is not moved away between the look and the rename
        if not publishing.deposits.lies(deposit) or not old.is_file():
            return None
        old.rename(stage)
    sync_folder(stage.parent)
    sync_folder(old.parent)
    publishing.names.release(old.parent, old.name)
    publishing.reached("move.lifted")
    return stage
