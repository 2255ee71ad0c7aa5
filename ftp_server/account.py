"""One account and one fiduciary as the server knows them; never holds a password or its hash."""

import unicodedata
from dataclasses import dataclass

from ftp_server.networks import within
from transfer.accounts import AccountKind, AccountName
from transfer.failures import PermanentFailure

_LONGEST_NAME = 200
_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}  # control signs, halves of letters, and what ends a line


@dataclass(frozen=True)
class Account:
    """One login with what it is held to; moments are in seconds since 1970 UTC."""

    name: AccountName
    enabled: bool
    tls_required: bool
    created_at: float
    expires_at: float | None = None
    """From this moment on it is refused; None: never."""
    networks: tuple[str, ...] = ()
    """Networks it may log in from, such as ``203.0.113.0/24``; none: from anywhere."""
    close_notify: bool = True
    """Whether an upload over TLS is torn unless TLS's closing message ends it; False for devices that send none."""
    bound: bool = False
    """Whether its data connections must resume the TLS session of their control connection."""
    quota: int | None = None
    """Bytes of its fiduciary that may lie uncollected; None: as many as the disk holds."""
    stamp: str = ""
    """Another one after each change of password, state, end, networks or switches: sessions of an older one may end."""

    def refusal(self, now: float, peer: str | None) -> str | None:
        """Return why it may not log in from ``peer`` (None: from wherever): disabled, expired, network; else None."""
        if not self.enabled:
            return "disabled"
        if self.expires_at is not None and now >= self.expires_at:
            return "expired"
        if peer is not None and self.networks and not within(peer, self.networks):
            return "network"
        return None


@dataclass(frozen=True)
class Fiduciary:
    """An accounting firm on this server; ``quota`` as an account has it, ``created_at`` in seconds since 1970 UTC."""

    number: str
    name: str
    quota: int | None
    created_at: float


def usual_account(name: AccountName, now: float) -> Account:
    """Return an account as it is made unless told otherwise: open, and READ over TLS only."""
    return Account(name, True, name.kind is AccountKind.READ, now)


def fiduciary_name(text: str) -> str:
    """Return a firm's name without blanks around it; refuse signs that no name has with ``account.bad_name``."""
    name = text.strip()
    if len(name) > _LONGEST_NAME or any(unicodedata.category(each) in _NOT_IN_NAMES for each in name):
        raise PermanentFailure("account.bad_name", longest=_LONGEST_NAME)
    return name


def one_folder(login: str) -> str:
    """Return what is the same for logins whose dossiers are one folder where capitals make no difference."""
    return login.lower()
