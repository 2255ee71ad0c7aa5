"""Gives a received document its receipt, its final name and its row, in the one order that loses nothing.

The order is the guarantee (G1, G2, G4). Bytes lie in a staging file that no account sees. The file is given its receipt
to carry, and one sync puts bytes and receipt on stable storage; only then does it get its final name, by an exclusive
link, and only then is 226 answered. The receipt's row follows within a moment, together with others (where a file
system cannot let files carry receipts, the row is written before the link). The staging name stays until row and final
folder are synced too (:mod:`ftp_server.settling`), so that every instant has one continuation:

==========================  ==========================================================================
died after                  the next start finds
==========================  ==========================================================================
receiving some bytes        staging file without a receipt: suspect; the sender was never answered
the receipt, in the sync    staging file that differs from its receipt: suspect; never answered either
the sync                    staging file with its receipt: row written, published now
the link or the answer      two names of one file: row written, final folder synced, staging name removed
==========================  ==========================================================================

A document that is held (:mod:`ftp_server.holding`) is answered after the sync already; a start publishes it, unless
its bytes were published under its temporary name before.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ftp_server.deposits import Deposit, Deposits
from ftp_server.folders import Folders, parts_of, shown
from ftp_server.names import Names
from ftp_server.settling import Settling
from transfer.durable import make_folder


@dataclass(frozen=True)
class Publishing:
    """The parts that a publication needs; one for the whole server, used by all worker threads."""

    deposits: Deposits
    names: Names
    settling: Settling
    reached: Callable[[str], None] = lambda _: None
    _made: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # there unless somebody removed them

    def publish(
        self,
        deposit: Deposit,
        stage: str,
        folders: Folders,
        seal: Callable[[Deposit], bool],
        answer: Callable[[Deposit, bool], None],
    ) -> None:
        """Publish a staging file and call ``answer`` with its deposit and whether that is an earlier one's retry.

        ``seal`` puts the file's receipt, under its final name, on stable storage and returns whether the file carries
        it; if not, the row is what is put there.
        """
        earlier = self.deposits.begin(deposit.retry_key)
        if earlier:
            Path(stage).unlink()
            self.deposits.end(deposit.retry_key, received=True)
            answer(earlier, True)
            return
        published, recorded, reserved, target = None, None, None, ""
        try:
            folder, target = self._made_folder(folders, deposit)
            name = reserved = self.names.reserve(target, deposit.name)
            named = (
                deposit
                if (folder, name) == (deposit.folder, deposit.name)
                else deposit._replace(folder=folder, name=name)
            )
            carried = seal(named)
            self.reached("server.synced")
            if not carried:
                self.deposits.record_at_once(named)
            self.reached("server.recorded")
            reserved = None
            published = self.link(named, stage, target, deposit.name)
            self.reached("server.linked")
            recorded = self.deposits.record(published) if carried else None  # asked for, so that a flush waits for it
            answer(published, False)
        except NotADirectoryError:  # the folder went, and a document took its name: the next attempt steps beside it
            self._made.pop((deposit.fiduciary, deposit.folder), None)
            raise
        finally:  # what follows delays no sender
            if reserved is not None:
                self.names.release(target, reserved)
            if published is not None:
                self.settling.add(published.id, stage, target, recorded)
            self.deposits.end(deposit.retry_key, received=published is not None)

    def _made_folder(self, folders: Folders, deposit: Deposit) -> tuple[str, str]:
        """Make a folder, or one beside the document that stands in its way; return which and where on the disk."""
        key = (deposit.fiduciary, deposit.folder)
        made = self._made.get(key)
        if made is None:
            folder = folders.free_of_documents(parts_of(deposit.folder))
            target = folders.published(folder)
            make_folder(target)
            made = self._made[key] = shown(folder), str(target)
        return made

    def link(self, deposit: Deposit, stage: str, target: str, asked: str) -> Deposit:
        """Give the file its final name, which is reserved; one that appeared on disk meanwhile is stepped over."""
        while True:
            try:
                os.link(stage, f"{target}/{deposit.name}")
            except FileExistsError:
                deposit = deposit._replace(name=self.names.reserve(target, asked))
                self.deposits.rename(deposit)
            except OSError as error:
                if not isinstance(error, FileNotFoundError) or not Path(stage).exists():
                    self.names.release(target, deposit.name)
                    raise
                make_folder(Path(target))  # somebody removed the folder between making it and now
            else:
                return deposit
