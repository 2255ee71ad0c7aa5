"""Accounts of the fiduciaries: made, listed, reset, disabled, and their passwords verified; never keeps a password."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ftp_server.database import Database
from ftp_server.tables import accounts, fiduciaries
from transfer.accounts import AccountKind, AccountName, fiduciary_number
from transfer.failures import PermanentFailure

PASSWORD_LENGTH = 20
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike


@dataclass(frozen=True)
class Account:
    """One login as the server knows it; ``created_at`` in seconds since 1970 UTC."""

    name: AccountName
    enabled: bool
    tls_required: bool
    created_at: float


def new_password() -> str:
    """Return a random password of 20 letters and digits without look-alikes (about 116 bits)."""
    return "".join(secrets.choice(_LETTERS) for _ in range(PASSWORD_LENGTH))


class Accounts:
    """The accounts in SQL; every method may be called from any thread."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._hasher = PasswordHasher()
        self._slow = threading.Semaphore(2)  # an argon2 check takes 64 MiB: two at a time are enough for two cores
        self._unknown = self._hasher.hash(secrets.token_hex())
        self._key = secrets.token_bytes(32)
        self._good: dict[str, tuple[str, bytes]] = {}

    def add_fiduciary(self, number: str, name: str = "") -> dict[str, str]:
        """Make a fiduciary with its READ_ and WRITE_ accounts; return login -> password, shown this once.

        Raises ``account.exists`` when the number is taken.
        """
        number = fiduciary_number(number)
        names = [AccountName(AccountKind.READ, number), AccountName(AccountKind.WRITE, number)]
        passwords = {account.login: new_password() for account in names}
        try:
            with self._database.write() as connection:
                connection.execute(insert(fiduciaries).values(number=number, name=name, created_at=self._clock()))
                connection.execute(
                    insert(accounts), [self._row(account, passwords[account.login]) for account in names]
                )
        except IntegrityError:
            raise PermanentFailure("account.exists", login=number) from None
        return passwords

    def add_dossier(self, number: str, dossier: str) -> dict[str, str]:
        """Make WRITE_nnnnnn_DOSSIER, which deposits into that dossier only; return login -> password, shown once."""
        account = AccountName(AccountKind.WRITE, number, dossier)
        password = new_password()
        with self._database.write() as connection:
            if connection.scalar(select(fiduciaries.c.number).where(fiduciaries.c.number == number)) is None:
                raise PermanentFailure("account.unknown_fiduciary", number=number)
            if connection.scalar(select(accounts.c.login).where(accounts.c.login == account.login)):
                raise PermanentFailure("account.exists", login=account.login)
            connection.execute(insert(accounts).values(self._row(account, password)))
        return {account.login: password}

    def list(self) -> list[Account]:
        """Return all accounts in the order of their logins."""
        with self._database.read() as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.login)).all()
        return [Account(AccountName.parse(r.login), r.enabled, r.tls_required, r.created_at) for r in rows]

    def reset(self, login: str) -> dict[str, str]:
        """Give an account a new password and enable it; return login -> password, shown this once."""
        password = new_password()
        self._change(login, password_hash=self._hasher.hash(password), enabled=True)
        return {login: password}

    def enable(self, login: str, enabled: bool) -> None:
        """Let an account log in, or refuse it from now on."""
        self._change(login, enabled=enabled)

    def require_tls(self, login: str, required: bool) -> None:
        """Demand FTPS of an account, or allow plain FTP (for scanners that know nothing else)."""
        self._change(login, tls_required=required)

    def verify(self, login: str, password: str) -> Account | None:
        """Return the account when login and password fit, else None; unknown and known logins take the same time.

        Blocks for an argon2 check (about 0.1 s) unless the same password was right before: a scanner logs in per page.
        """
        with self._database.read() as connection:
            row = connection.execute(select(accounts).where(accounts.c.login == login)).first()
        stored = row.password_hash if row else self._unknown
        print_of = hmac.new(self._key, f"{login}\0{password}".encode(), sha256).digest()
        remembered = self._good.get(login)
        if remembered and remembered[0] == stored and hmac.compare_digest(remembered[1], print_of):
            right = True
        else:
            with self._slow:
                right = self._matches(stored, password)
            if right and row:
                self._good[login] = (stored, print_of)
        if not right or not row or not row.enabled:
            return None
        return Account(AccountName.parse(row.login), row.enabled, row.tls_required, row.created_at)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _row(self, account: AccountName, password: str) -> dict[str, object]:
        return {
            "login": account.login,
            "fiduciary": account.fiduciary,
            "password_hash": self._hasher.hash(password),
            "enabled": True,
            "tls_required": account.kind is AccountKind.READ,
            "created_at": self._clock(),
        }

    def _change(self, login: str, **values: object) -> None:
        with self._database.write() as connection:
            if connection.execute(update(accounts).where(accounts.c.login == login).values(values)).rowcount != 1:
                raise PermanentFailure("account.unknown", login=login[:40])
