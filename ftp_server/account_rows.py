"""Reads the accounts' rows, and remembers them as long as no program changed one; never decides who may log in."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from ftp_server.account import Account
from ftp_server.database import Database
from ftp_server.tables import account_changes, accounts, fiduciaries
from transfer.accounts import AccountName
from transfer.failures import PermanentFailure

_TRUSTED = 1.0
"""Seconds after which the database is asked again whether anything changed."""
_KEPT = 60.0
"""Seconds after which a row is read anew in any case: what was changed by hand in the database is seen then too."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its password's hash, which change it is as new as, and when it was read."""

    account: Account
    password_hash: str
    change: int | None
    read_at: float


class AccountRows:
    """The rows of the accounts, for any thread; ``clock`` gives seconds and may jump."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._rows: dict[str, AccountRow] = {}
        self._change: int | None = None
        self._asked_at = float("-inf")

    def remembered(self, login: str) -> AccountRow | None:
        """Return a row from memory if it is as new as the last change known, which is at most a second old."""
        now = self._clock()
        if not 0 <= now - self._asked_at < _TRUSTED:
            with self._database.read() as connection:
                self._change = connection.scalar(select(account_changes.c.number))
            self._asked_at = now
        row = self._rows.get(login)
        return row if row and row.change == self._change and 0 <= now - row.read_at < _KEPT else None

    def read(self, login: str) -> AccountRow | None:
        """Return a row from the database as it is now, and remember it; none for what cannot be a login."""
        change = self._change  # known before the row is read: should another follow, the row counts as old
        try:
            AccountName.parse(login)
        except PermanentFailure:
            return None  # never asked for: some databases refuse signs that a stranger may send
        with self._database.read() as connection:
            found = connection.execute(_selected().where(accounts.c.login == login)).first()
        if found is None:
            self._rows.pop(login, None)
            return None
        row = AccountRow(_account(found), found.password_hash, change, self._clock())
        self._rows[login] = row
        return row

    def every(self, fiduciary: str | None = None) -> list[Account]:
        """Return all accounts, or those of one fiduciary, in the order of their logins."""
        wanted = _selected().order_by(accounts.c.login)
        if fiduciary is not None:
            wanted = wanted.where(accounts.c.fiduciary == fiduciary)
        with self._database.read() as connection:
            return [_account(row) for row in connection.execute(wanted)]

    @contextmanager
    def changing(self) -> Iterator[tuple[Connection, int]]:
        """Open a transaction that changes accounts, with the number of this change; all programs then read anew."""
        with self._database.write() as connection:
            connection.execute(update(account_changes).values(number=account_changes.c.number + 1))
            yield connection, connection.scalars(select(account_changes.c.number)).one()
        self._asked_at = float("-inf")


def _selected() -> Select[Any]:
    return select(accounts, fiduciaries.c.quota).join(fiduciaries)


def _account(row: Row[Any]) -> Account:
    return Account(
        name=AccountName.parse(row.login),
        enabled=row.enabled,
        tls_required=row.tls_required,
        created_at=row.created_at,
        expires_at=row.expires_at,
        networks=tuple(row.networks.split()),
        close_notify=row.close_notify,
        bound=row.bound,
        quota=row.quota,
        stamp=str(row.stamp),
    )
