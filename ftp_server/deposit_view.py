"""What a WRITE account sees and may do with files: what its own session deposited; never speaks FTP.

Folders are virtual: any safe one is there, and appears on the disk with the first deposit in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ftp_server.account import Account
from ftp_server.deposits import Deposit, retry_key
from ftp_server.folders import Folder, Folders, parts_of, shown
from ftp_server.holding import TEST, Held, drop_held, is_temporary, publish_held
from ftp_server.listing import Entry
from ftp_server.moving import move, move_known, withdraw
from ftp_server.publishing import Publishing
from ftp_server.receiving import Answer, Asked
from ftp_server.refused import COLLECTED, GONE, Refused
from transfer.failures import Failure
from transfer.fingerprints import checksum, measure
from transfer.remote_layout import file_parts, folder_parts

_MOST = 10_000  # deposits one session can look at again


class _Own(NamedTuple):
    """A deposit of this session: held, or published, or an earlier one's retry that is not this session's to change."""

    deposit: Deposit
    held: Held | None = None
    again: bool = False


@dataclass
class DepositView:
    """The session's own deposits, by the paths that the device knows them by."""

    account: Account
    peer: str
    folders: Folders
    publishing: Publishing
    clock: Callable[[], float]
    deposited: Callable[[Deposit], None]
    folder: Folder = ()
    _own: dict[tuple[Folder, str], _Own] = field(default_factory=dict)

    @property
    def _root(self) -> Folder:
        return (self.account.name.dossier,) if self.account.name.dossier else ()

    def change_folder(self, raw: str) -> None:
        """Go to a folder."""
        self.folder = folder_parts(raw, self.folder)

    def make_folder(self, raw: str) -> str:
        """Answer as if the folder were made."""
        return shown(folder_parts(raw, self.folder))

    # --- depositing

    def asked(self, raw: str, announced: int | None, appended: bool) -> Asked:
        """Return what a deposit under the path ``raw`` asks for."""
        folder, name = file_parts(raw, self.folder)
        account = self.account
        return Asked(
            account.name.fiduciary,
            account.name.login,
            self._root + folder,
            name,
            self.peer,
            announced,
            temporary=is_temporary(raw),
            close_notify=account.close_notify,
            appended=appended,
        )

    def remember(self, answer: Answer, asked: Asked) -> str:
        """Take a stored deposit into this session's view; return the path it now has there."""
        assert answer.deposit
        folder = asked.folder[len(self._root) :]
        own = _Own(answer.deposit, answer.held, answer.again)
        if len(self._own) < _MOST:
            self._own[folder, answer.deposit.name] = self._own[folder, asked.name] = own
        return shown(folder, answer.deposit.name)

    @property
    def holds(self) -> bool:
        """Whether a deposit waits for its name."""
        return any(own.held for own in self._own.values())

    def release(self) -> None:
        """Publish what still waits for its name, under the name it has."""
        for place, own in list(self._own.items()):
            if own.held and self._own.get(place) is own:
                self._publish(own.held, place)

    def rename(self, old: str, new: str) -> str:
        """Give an own deposit another path, which never replaces anything; return the path it now has."""
        place = file_parts(new, self.folder)
        own = self._find(old)
        if own.held:
            return self._publish(own.held, place)
        temporary = is_temporary(old)
        moved = own if own.again and not temporary else self._move(own, place, temporary)
        self._forget(own.deposit.id)
        self._own[place] = moved
        return shown(place[0], moved.deposit.name)

    def remove(self, raws: Sequence[str]) -> list[str]:
        """Take own deposits back, as devices do with what they only tried: they go to the trash, marked as tests.

        Return the refusal of each, or nothing.
        """
        refusals = []
        for raw in raws:
            try:
                self._take_back(raw)
                refusals.append("")
            except Refused as refused:
                refusals.append(refused.reply)
            except Failure:  # a path that can be nobody's
                refusals.append(GONE)
        return refusals

    def _take_back(self, raw: str) -> None:
        own = self._find(raw)
        if own.again:
            raise Refused(GONE)
        if own.held:
            drop_held(self.publishing.deposits, own.held, self.clock())
        else:
            self._withdraw(own.deposit)
        self._forget(own.deposit.id)

    def _withdraw(self, deposit: Deposit) -> None:
        deposits, withdrawn = self.publishing.deposits, False
        deposits.begin(deposit.retry_key)
        try:
            withdrawn = withdraw(self.publishing, self.folders, deposit, self.clock(), TEST)
        finally:
            deposits.end(deposit.retry_key, received=not withdrawn)
        if not withdrawn:
            raise Refused(COLLECTED)

    # --- looking

    def entries(self, raw: str, *, hashed: bool = True) -> list[Entry]:
        """List this session's own deposits in a folder, always with their hashes."""
        del hashed
        folder = folder_parts(raw, self.folder)
        own = {own.deposit.id: own.deposit for (place, _), own in self._own.items() if place == folder}
        return [_entry(deposit) for deposit in own.values()]

    def names(self, raw: str) -> list[str]:
        """List the names of this session's own deposits in a folder."""
        return [entry.name for entry in self.entries(raw)]

    def entry(self, raw: str) -> Entry:
        """Return one of this session's own deposits; everything else is refused as if it did not exist."""
        return _entry(self._find(raw).deposit)

    def folder_entry(self, raw: str) -> Entry | None:
        """Return a folder, by its path from the root, that this session is in or deposited in; None for any other.

        Whether there are others is nobody's business here.
        """
        try:
            folder = folder_parts(raw, self.folder)
        except Failure:
            return None
        known = [self.folder, *(place for place, _ in self._own)]
        if any(each[: len(folder)] == folder for each in known):
            return Entry(shown(folder), True, 0, self.clock(), may="el")
        return None

    def sha256(self, raw: str) -> str:
        """Return the SHA-256 of one of this session's own deposits."""
        return self._find(raw).deposit.sha256

    def checksum(self, raw: str, kind: str) -> str:
        """Return another checksum of one of this session's own deposits, by reading it."""
        own = self._find(raw)
        try:
            with (own.held.stage if own.held else self._path(own.deposit)).open("rb") as file:
                if measure(file).sha256 != own.deposit.sha256:  # somebody else's, which has the name now
                    raise Refused(COLLECTED)
                file.seek(0)
                return checksum(file, kind)
        except FileNotFoundError:
            raise Refused(COLLECTED) from None

    # --- the own deposits

    def _find(self, raw: str) -> _Own:
        own = self._own.get(file_parts(raw, self.folder))
        if own is None:
            raise Refused(GONE)
        return own

    def _forget(self, deposit_id: str) -> None:
        for place in [place for place, own in self._own.items() if own.deposit.id == deposit_id]:
            del self._own[place]

    def _publish(self, held: Held, place: tuple[Folder, str]) -> str:
        def published(deposit: Deposit, again: bool) -> None:
            self._forget(held.deposit.id)
            self._own[place] = self._own[place[0], deposit.name] = _Own(deposit, again=again)
            self.deposited(deposit)

        publish_held(self.publishing, held, self._root + place[0], place[1], published, at=self.clock())
        return shown(place[0], self._own[place].deposit.name)

    def _move(self, own: _Own, place: tuple[Folder, str], temporary: bool) -> _Own:
        """Give a published file another name; whoever collects it at this moment has it under one of the two.

        A retry begins with the name that it had first, unless that was a temporary one, which means nothing any more.
        """
        deposit, folder = own.deposit, self._root + place[0]
        renamed = deposit._replace(folder=shown(folder), name=place[1])
        if temporary:
            renamed = renamed._replace(retry_key=retry_key(deposit.login, folder, place[1], deposit.sha256))
            found = move_known(self.publishing, self.folders, deposit.retry_key, renamed, at=self.clock())
            if found:
                return _Own(found[0], again=found[1])
        moved = move(self.publishing, self.folders, deposit, renamed)
        if moved is None:
            raise Refused(COLLECTED)
        return _Own(moved)

    def _path(self, deposit: Deposit) -> Path:
        return self.folders.published(parts_of(deposit.folder), deposit.name)


def _entry(deposit: Deposit) -> Entry:
    return Entry(deposit.name, False, deposit.size, deposit.received_at, deposit.sha256)
