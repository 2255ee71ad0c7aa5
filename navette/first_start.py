"""Makes a first start ready to use: accounts, two sample dossiers, and the settings that join firm and server.

It never changes what is there already, so it can be repeated, also after it was cut off in the middle.
"""

from dataclasses import dataclass

from dossiers import dossier as dossiers
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.ftp_access import give_write_account, write_connection
from ftp_server.accounts import Accounts
from transfer.accounts import AccountKind, AccountName
from transfer.language import Language

SAMPLE_FIDUCIARY = "570013"
"""The number that a first start gives the fiduciary until it sets its own."""

SAMPLES = (("000204", "sample.bakery", "fr"), ("000317", "sample.garage", "nl"))
"""Number, name's key in the catalogue, and language of the sample dossiers."""


@dataclass(frozen=True)
class Address:
    """Where the server of this start listens."""

    host: str
    port: int
    fingerprint: str


def prepare(firm: Firm, accounts: Accounts, address: Address, language: Language) -> None:
    """Bring firm and server together; what an earlier start did stays as it is."""
    settings = firm.settings
    if not settings.text("fiduciary.number"):
        settings.set("fiduciary.number", SAMPLE_FIDUCIARY)
        settings.set("fiduciary.name", language.say("sample.fiduciary"))
        settings.set("fiduciary.language", language.code)
    number = settings.text("fiduciary.number")
    known = {account.name.login for account in accounts.list()}
    if AccountName(AccountKind.READ, number).login not in known:
        _keep(firm, number, accounts.add_fiduciary(number, settings.text("fiduciary.name")))
    for kind in AccountKind:
        if not settings.is_set(f"ftp.{kind.value.lower()}_password"):
            _keep(firm, number, accounts.reset(AccountName(kind, number).login))
    for name, value in (("host", address.host), ("port", str(address.port)), ("fingerprint", address.fingerprint)):
        if settings.text(f"ftp.{name}") != value:
            settings.set(f"ftp.{name}", value)
    if not dossiers.every(firm, archived=True):
        for dossier, name, spoken in SAMPLES:
            dossiers.add(firm, Dossier(dossier, language.say(name), spoken))
    for each in dossiers.every(firm):
        _give_account(firm, accounts, number, each)


def _keep(firm: Firm, number: str, passwords: dict[str, str]) -> None:
    for kind in AccountKind:
        login = AccountName(kind, number).login
        if login in passwords:
            firm.settings.set(f"ftp.{kind.value.lower()}_user", login)
            firm.settings.set(f"ftp.{kind.value.lower()}_password", passwords[login])


def _give_account(firm: Firm, accounts: Accounts, number: str, dossier: Dossier) -> None:
    """Give a dossier its own WRITE account: an INI that leaks then harms one dossier, and is revoked alone."""
    own = AccountName(AccountKind.WRITE, number, dossier.number).login
    if write_connection(firm, dossier)[0].user == own:
        return
    known = {account.name.login for account in accounts.list()}
    made = accounts.reset(own) if own in known else accounts.add_dossier(number, dossier.number)
    give_write_account(firm, dossier, own, made[own])
