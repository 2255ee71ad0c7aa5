"""The names of accounts and numbers that both sides agree on; never holds or checks a password."""

import enum
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from transfer.failures import PermanentFailure
from transfer.safe_names import safe_name

_FIDUCIARY = re.compile(r"[0-9]{6}")
_DOSSIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,15}")
_LOGIN = re.compile(rf"(READ|WRITE)_({_FIDUCIARY.pattern})(?:_({_DOSSIER.pattern}))?")


class AccountKind(enum.StrEnum):
    """What an account may do: READ collects for the fiduciary, WRITE deposits."""

    READ = "READ"
    WRITE = "WRITE"


def fiduciary_number(text: str) -> str:
    """Return a fiduciary's six-digit number as it was given, or refuse it with ``account.bad_fiduciary``."""
    if not _FIDUCIARY.fullmatch(text):
        raise PermanentFailure("account.bad_fiduciary", number=text[:40])
    return text


def dossier_number(text: str) -> str:
    """Return a dossier's number (1 to 16 letters, digits, hyphens), or refuse it with ``account.bad_dossier``.

    The limit keeps every login within the 32 ASCII characters that scanners accept. A dossier is a folder too: the
    names that Windows keeps for devices (``CON``, ``COM1``) are refused.
    """
    if not _DOSSIER.fullmatch(text) or safe_name(text) != text:
        raise PermanentFailure("account.bad_dossier", number=text[:40])
    return text


@dataclass(frozen=True)
class AccountName:
    """READ_nnnnnn, WRITE_nnnnnn, or WRITE_nnnnnn_DOSSIER (an account that deposits into one dossier only)."""

    kind: AccountKind
    fiduciary: str
    dossier: str | None = None

    def __post_init__(self) -> None:
        fiduciary_number(self.fiduciary)
        if self.dossier is not None:
            dossier_number(self.dossier)
            if self.kind is AccountKind.READ:
                raise PermanentFailure("account.bad_login", login=self.login)

    @cached_property
    def login(self) -> str:
        """The name typed at a login, such as ``WRITE_570013_000204``."""
        return "_".join([self.kind.value, self.fiduciary, *([self.dossier] if self.dossier else [])])

    @classmethod
    def parse(cls, login: str) -> Self:
        """Read a login; refuse anything else with ``account.bad_login``."""
        found = _LOGIN.fullmatch(login)
        if not found:
            raise PermanentFailure("account.bad_login", login=login[:40])
        return cls(AccountKind(found[1]), found[2], found[3])
