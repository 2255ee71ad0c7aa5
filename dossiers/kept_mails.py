"""Keeps raw mails in the firm's home for some days, so that no rule can lose anything; never keeps one twice."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from dossiers import mails as all_mails
from dossiers.designation import Lease
from dossiers.disk import Disk, Part, failures
from dossiers.document import part_name
from dossiers.firm import Firm
from dossiers.mails import Mails, Met
from transfer.failures import PermanentFailure
from transfer.in_progress import OWN_PREFIX


class KeptMails:
    """The kept mails, written by the holder of the lease whose ``mails`` they are."""

    def __init__(self, firm: Firm, lease: Lease, mails: Mails, disk: Disk) -> None:
        self._firm = firm
        self._lease = lease
        self._mails = mails
        self._disk = disk
        self._days = firm.settings.number("mail.keep_raw_days")

    def keep(self, fresh: Sequence[tuple[Met, bytes]]) -> None:
        """Put raw messages on stable storage, then commit that; raises the ``delivery.`` failure that kept one out."""
        if not fresh or not self._days:
            return
        folder = self._firm.mails_folder
        parts: list[Part] = []
        try:
            for mail, raw in fresh:
                parts.append(self._disk.create(part_name(folder, mail.id), folder, self._lease.keep))
                parts[-1].write(raw)
        except BaseException:
            for part in parts:
                self._disk.drop(part)
            raise
        for failure in self._disk.sync(parts).values():
            raise failure
        for (mail, _), part in zip(fresh, parts, strict=True):
            with contextlib.suppress(FileExistsError):  # an earlier round put it there: its name tells its bytes
                self._disk.link(part.path, place(self._firm, mail))
            self._disk.discard(part.path)
        self._disk.sync_folder(folder)
        self._mails.keep([mail for mail, _ in fresh], self._firm.clock())

    def purge(self) -> None:
        """Forget the mails whose days are over, and what a dead program left of others."""
        over = all_mails.outlived(self._firm, self._firm.clock() - timedelta(days=self._days))
        for mail in over:
            self._disk.discard(place(self._firm, mail))
        self._mails.keep(over, None)
        for part in self._firm.mails_folder.glob(f"{OWN_PREFIX}*"):
            self._disk.discard(part)


def place(firm: Firm, mail: Met) -> Path:
    """Return where a kept mail lies."""
    return firm.mails_folder / f"{mail.id}-{mail.sha256[:16]}.eml"


def raw(firm: Firm, mail: Met) -> bytes:
    """Return a kept mail, or refuse one that is not there with ``mail.not_kept``."""
    file = place(firm, mail)
    with failures(file.parent):
        if file.exists():
            return file.read_bytes()
    raise PermanentFailure("mail.not_kept", mail=mail.id)
