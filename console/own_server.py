"""The firm's own FTP server as the console sees it: dossiers' accounts and doubtful files; the only door to that room.

It reads and writes the server's database beside the server that may run, and never gives a password back.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.ftp_access import give_write_account
from ftp_server.accounts import Accounts
from ftp_server.carrying import carry_out
from ftp_server.database import Database
from ftp_server.folders import fiduciaries_of
from ftp_server.server import opened
from ftp_server.suspects import Suspects
from ftp_server.trash import Trash
from transfer.accounts import AccountKind, AccountName
from transfer.failures import PermanentFailure


@dataclass(frozen=True)
class Aside:
    """A file that lies at the server and waits for somebody's word: a doubtful one, or one in the trash."""

    id: str
    path: str
    login: str
    size: int
    at: float
    """Since when, in seconds since 1970 UTC."""
    why: str
    """The word for what is doubtful, or for how it came into the trash."""
    days_left: int | None = None


def is_here(firm: Firm) -> bool:
    """Tell whether the server's home lies beside the firm's, so that this console may look after it."""
    return (firm.home / "server" / "server.db").exists()


def give_account(firm: Firm, dossier: Dossier) -> str:
    """Give a dossier an account of its own, or a new password if it has one; return the login.

    The firm keeps the password sealed; within seconds, nothing that holds an older one logs in.
    """
    number = firm.settings.text("fiduciary.number")
    with _database(firm) as database:
        login = AccountName(AccountKind.WRITE, number, dossier.number).login
        accounts = Accounts(database)
        known = {account.name.login for account in accounts.list(number)}
        made = accounts.reset(login) if login in known else accounts.add_dossier(number, dossier.number)
    give_write_account(firm, dossier, login, made[login])
    return login


def renew_password(firm: Firm, kind: AccountKind) -> str:
    """Give READ or WRITE of the fiduciary a new password, which the firm keeps sealed; return the login."""
    with _database(firm) as database:
        login = AccountName(kind, firm.settings.text("fiduciary.number")).login
        made = Accounts(database).reset(login)
    firm.settings.set(f"ftp.{kind.value.lower()}_user", login)
    firm.settings.set(f"ftp.{kind.value.lower()}_password", made[login])
    return login


def doubtful(firm: Firm) -> list[Aside]:
    """Return the doubtful files that wait for a decision, oldest first."""
    with _database(firm) as database:
        found = [one.suspect for one in Suspects(database, _root(firm), time.time).list() if one.decision is None]
    return [
        Aside(one.id, _path(one.folder, one.name), one.login, one.size, one.received_at, one.reason) for one in found
    ]


def trash(firm: Firm) -> list[Aside]:
    """Return what was collected or discarded and can still be brought back, latest first."""
    now = time.time()
    with _database(firm) as database:
        found = Trash(database, _root(firm), time.time).list()
    return [
        Aside(
            one.id,
            _path(one.folder, one.name),
            one.login,
            one.size,
            one.removed_at,
            one.kind.value,
            one.days_left(now),
        )
        for one in reversed(found)
    ]


def decide(firm: Firm, deed: str, identity: str) -> None:
    """Carry out what a person decided: ``release`` or ``discard`` a doubtful file, ``restore`` one from the trash."""
    root, home = _root(firm), firm.home / "server"
    with _database(firm) as database:
        if deed == "release":
            Suspects(database, root, time.time).release(identity)
        elif deed == "discard":
            Suspects(database, root, time.time).discard(identity)
        else:
            Trash(database, root, time.time).restore(identity)
        carry_out(home, database, time.time, lambda _: None)


def _path(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _root(firm: Firm) -> Path:
    return fiduciaries_of(firm.home / "server")


@contextmanager
def _database(firm: Firm) -> Iterator[Database]:
    if not is_here(firm):
        raise PermanentFailure("ftp_page.no_own_server")
    with closing(opened(firm.home / "server")) as database:
        yield database
