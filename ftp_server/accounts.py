"""Accounts of the fiduciaries: made, listed, changed, and their passwords verified; never keeps a password."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from ftp_server.account import Account, Fiduciary, fiduciary_name, one_folder, usual_account
from ftp_server.account_rows import AccountRow, AccountRows
from ftp_server.database import Database
from ftp_server.expiry import checked_moment
from ftp_server.networks import networks_of
from ftp_server.passwords import Passwords, new_password
from ftp_server.quota import checked_quota
from ftp_server.tables import accounts, fiduciaries
from transfer.accounts import AccountKind, AccountName, fiduciary_number
from transfer.failures import PermanentFailure

__all__ = ["Account", "Accounts", "Fiduciary"]

log = logging.getLogger("navette.server")


class Accounts:
    """The accounts in SQL; every method may be called from any thread, and other programs' changes are seen too."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._rows = AccountRows(database, clock)
        self._passwords = Passwords()

    # --- making

    def add_fiduciary(self, number: str, name: str = "") -> dict[str, str]:
        """Make a fiduciary with its READ_ and WRITE_ accounts; return login -> password, shown this once.

        Raises ``account.exists`` when the number is taken.
        """
        names = [AccountName(kind, fiduciary_number(number)) for kind in AccountKind]
        firm = Fiduciary(number, fiduciary_name(name), None, self._clock())
        return self.add([firm], [usual_account(name, firm.created_at) for name in names])

    def add_dossier(self, number: str, dossier: str) -> dict[str, str]:
        """Make WRITE_nnnnnn_DOSSIER, which deposits into that dossier only; return login -> password, shown once."""
        return self.add([], [usual_account(AccountName(AccountKind.WRITE, number, dossier), self._clock())])

    def add(
        self,
        firms: Sequence[Fiduciary],
        made: Sequence[Account],
        keep: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> dict[str, str]:
        """Make all these fiduciaries and accounts, or none; return login -> password.

        ``keep`` is given the passwords before anything is final: when it fails, nothing was made.
        Raises ``account.exists`` and ``account.unknown_fiduciary``.
        """
        passwords = {account.name.login: new_password() for account in made}
        hashes = self._passwords.hashes(list(passwords.values()))  # before the transaction: deposits wait for that
        with self._rows.changing() as (connection, change):
            _refuse_unfit(connection, firms, made)
            if firms:
                connection.execute(insert(fiduciaries), [vars(firm) for firm in firms])
            rows = [_row(account, stored, change) for account, stored in zip(made, hashes, strict=True)]
            if rows:
                connection.execute(insert(accounts), rows)
            keep(passwords)
        return passwords

    # --- looking

    def fiduciaries(self) -> Sequence[Fiduciary]:
        """Return all fiduciaries in the order of their numbers."""
        columns = (fiduciaries.c.number, fiduciaries.c.name, fiduciaries.c.quota, fiduciaries.c.created_at)
        with self._database.read() as connection:
            return [Fiduciary(*row) for row in connection.execute(select(*columns).order_by(fiduciaries.c.number))]

    def list(self, fiduciary: str | None = None) -> list[Account]:
        """Return all accounts, or those of one fiduciary, in the order of their logins."""
        return self._rows.every(fiduciary)

    def stamps(self) -> dict[str, str]:
        """Return login -> stamp of the accounts that may be logged in now: a session with another stamp may end."""
        lasting = or_(accounts.c.expires_at.is_(None), accounts.c.expires_at > self._clock())
        with self._database.read() as connection:
            found = connection.execute(select(accounts.c.login, accounts.c.stamp).where(accounts.c.enabled, lasting))
            return {login: str(stamp) for login, stamp in found}

    # --- changing

    def reset(self, login: str) -> dict[str, str]:
        """Give an account a new password and enable it; return login -> password, shown this once."""
        password = new_password()
        self._change(login, password_hash=self._passwords.hashes([password])[0], enabled=True)
        return {login: password}

    def enable(self, login: str, enabled: bool) -> None:
        """Let an account log in, or refuse it from now on."""
        self._change(login, enabled=enabled)

    def require_tls(self, login: str, required: bool) -> None:
        """Demand FTPS of an account, or allow plain FTP (for scanners that know nothing else)."""
        self._change(login, tls_required=required)

    def expire(self, login: str, at: float | None) -> None:
        """Refuse an account from a moment on (seconds since 1970 UTC), or never (None)."""
        self._change(login, expires_at=checked_moment(at))

    def set_networks(self, login: str, networks: Iterable[str]) -> tuple[str, ...]:
        """Let an account log in from these networks only, from anywhere if there are none; return them as kept."""
        kept = networks_of(networks)
        self._change(login, networks=" ".join(kept))
        return kept

    def set_close_notify(self, login: str, required: bool) -> None:
        """Take an upload over TLS without TLS's closing message for torn, or not (devices that never send one)."""
        self._change(login, close_notify=required)

    def set_bound(self, login: str, required: bool) -> None:
        """Demand that an account's data connections resume its control connection's TLS session, or not."""
        self._change(login, bound=required)

    def set_quota(self, number: str, quota: int | None) -> None:
        """Bound the bytes of a fiduciary that may lie uncollected; None: no bound. No session ends by it."""
        self._change_fiduciary(number, quota=checked_quota(quota))

    def rename_fiduciary(self, number: str, name: str) -> None:
        """Give a fiduciary another name; its number and its accounts stay."""
        self._change_fiduciary(number, name=fiduciary_name(name))

    def rename_dossier(self, login: str, dossier: str) -> str:
        """Give WRITE_nnnnnn_OLD to another dossier, with its password and settings; return its new login.

        What it deposited stays in the old dossier's folder.
        Raises ``account.unknown``, ``account.exists`` and, for an account of no dossier, ``account.not_of_dossier``.
        """
        before = AccountName.parse(login)
        if before.dossier is None:
            raise PermanentFailure("account.not_of_dossier", login=login)
        after = replace(before, dossier=dossier)
        with self._rows.changing() as (connection, change):
            taken = set(connection.scalars(select(accounts.c.login))) - {before.login}
            if one_folder(after.login) in map(one_folder, taken):
                raise PermanentFailure("account.exists", login=after.login)
            renamed = update(accounts).where(accounts.c.login == before.login)
            if connection.execute(renamed.values(login=after.login, stamp=change)).rowcount != 1:
                raise PermanentFailure("account.unknown", login=before.login)
        return after.login

    # --- logging in

    def verify(self, login: str, password: str, peer: str | None = None) -> Account | None:
        """Return the account when login and password fit and it may log in from ``peer`` (None: wherever), else None.

        What was right before is answered from memory in microseconds: a scanner logs in per page. Every refusal reads
        the database once and takes one argon2 check (about 0.1 s, blocking), whatever its reason.
        """
        known = self.recognise(login, password, peer)
        if known:
            return known
        typed = password.encode("utf-8", "surrogatepass")
        row = self._rows.read(login)
        if row and self._lets_in(row, typed, peer):
            return row.account
        if not self._passwords.fit(login, row.password_hash if row else None, typed) or row is None:
            return None
        why = row.account.refusal(self._clock(), peer)
        if why:
            log.warning("login refused user=%s peer=%s why=%s", login, peer or "-", why)
            return None
        return row.account

    def recognise(self, login: str, password: str, peer: str | None = None) -> Account | None:
        """Return the account if this very password was right before and it may log in; None says nothing: verify then.

        Takes microseconds, and once a second a read of one number: a known device need not queue behind strangers.
        """
        row = self._rows.remembered(login)
        typed = password.encode("utf-8", "surrogatepass")
        return row.account if row and self._lets_in(row, typed, peer) else None

    def _lets_in(self, row: AccountRow, typed: bytes, peer: str | None) -> bool:
        known = self._passwords.remembers(row.account.name.login, row.password_hash, typed)
        return known and not row.account.refusal(self._clock(), peer)

    def _change(self, login: str, **values: object) -> None:
        """Change an account, and its stamp if anything differs: what changes nothing ends no session."""
        with self._rows.changing() as (connection, change):
            row = connection.execute(select(accounts).where(accounts.c.login == login)).mappings().first()
            if row is None:
                raise PermanentFailure("account.unknown", login=login[:40])
            if any(row[column] != value for column, value in values.items()):
                connection.execute(update(accounts).where(accounts.c.login == login).values(values | {"stamp": change}))

    def _change_fiduciary(self, number: str, **values: object) -> None:
        with self._rows.changing() as (connection, _):
            changed = update(fiduciaries).where(fiduciaries.c.number == fiduciary_number(number)).values(values)
            if connection.execute(changed).rowcount != 1:
                raise PermanentFailure("account.unknown_fiduciary", number=number)


def _refuse_unfit(connection: Connection, firms: Sequence[Fiduciary], made: Sequence[Account]) -> None:
    """Refuse numbers and logins that are taken, and accounts of no fiduciary."""
    known = set(connection.scalars(select(fiduciaries.c.number)))
    for firm in firms:
        if firm.number in known:
            raise PermanentFailure("account.exists", login=firm.number)
        known.add(firm.number)
    taken = set(map(one_folder, connection.scalars(select(accounts.c.login))))
    for name in (account.name for account in made):
        if name.fiduciary not in known:
            raise PermanentFailure("account.unknown_fiduciary", number=name.fiduciary)
        if one_folder(name.login) in taken:
            raise PermanentFailure("account.exists", login=name.login)
        taken.add(one_folder(name.login))


def _row(account: Account, password_hash: str, change: int) -> dict[str, Any]:
    return {
        "login": account.name.login,
        "fiduciary": account.name.fiduciary,
        "password_hash": password_hash,
        "enabled": account.enabled,
        "tls_required": account.tls_required,
        "created_at": account.created_at,
        "expires_at": checked_moment(account.expires_at),
        "networks": " ".join(networks_of(account.networks)),
        "close_notify": account.close_notify,
        "bound": account.bound,
        "stamp": change,
    }
