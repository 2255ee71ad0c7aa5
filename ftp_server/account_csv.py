"""The accounts as a table for a spreadsheet: written without any secret, and read cell by cell; never makes an account.

A row is an account. A row without dossier and account is a fiduciary with both its accounts, READ and WRITE. A firm's
name and quota may stand on any of its rows.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ftp_server.account import Account, Fiduciary, fiduciary_name
from ftp_server.expiry import moment_of, text_of
from ftp_server.networks import networks_of
from ftp_server.quota import quota_of, quota_text
from transfer import sheet
from transfer.accounts import AccountKind, AccountName, dossier_number, fiduciary_number
from transfer.failures import PermanentFailure
from transfer.sheet import RowFault, harmless, unmarked

_COLUMNS = {
    "fiduciary": ("fiduciaire", "kantoor"),
    "name": ("nom", "naam"),
    "account": ("compte",),
    "dossier": (),
    "enabled": ("actif", "actief"),
    "tls_required": ("tls_exige", "tls_verplicht"),
    "expires": ("fin", "einde"),
    "networks": ("reseaux", "netwerken"),
    "close_notify": ("message_de_fin", "slotbericht"),
    "bound": ("lie", "gebonden"),
    "quota_mib": ("quota_mio", "limite_mio", "limiet_mib"),
}
"""Each column with its other names, without accents; the first are those that are written."""
_YES = {"yes", "oui", "ja", "true", "vrai", "waar", "1", "x"}
_NO = {"no", "non", "nee", "false", "faux", "onwaar", "0"}


class RowsFailure(PermanentFailure):
    """A table with rows that cannot be used, with all that is wrong with them in the order of their lines."""

    def __init__(self, code: str, faults: Sequence[RowFault]) -> None:
        super().__init__(code, number=len(faults))
        self.faults = sorted(faults, key=lambda fault: fault.line)


@dataclass(frozen=True)
class SheetRow:
    """One row as it was read; what it leaves open is None."""

    line: int
    fiduciary: str
    name: str | None = None
    account: AccountKind | None = None
    dossier: str | None = None
    enabled: bool | None = None
    tls_required: bool | None = None
    expires: float | None = None
    networks: tuple[str, ...] | None = None
    close_notify: bool | None = None
    bound: bool | None = None
    quota_mib: int | None = None

    def names(self) -> list[AccountName]:
        """Return the accounts that the row speaks of: both of a fiduciary, or one."""
        kinds = [AccountKind.WRITE] if self.dossier else [self.account] if self.account else list(AccountKind)
        return [AccountName(kind, self.fiduciary, self.dossier) for kind in kinds]


def text(firms: Sequence[Fiduciary], accounts: Sequence[Account]) -> str:
    """Return all accounts as a table with semicolons, one row each and no secret; :func:`read` reads it back."""
    table = io.StringIO()
    writer = csv.writer(table, delimiter=";", lineterminator="\n")
    writer.writerow(_COLUMNS)
    names = {firm.number: firm.name for firm in firms}
    for account in sorted(accounts, key=lambda each: (each.name.fiduciary, each.name.login)):
        name = account.name
        writer.writerow(
            [
                name.fiduciary,
                harmless(names[name.fiduciary]),
                name.kind.value,
                name.dossier or "",
                _word(account.enabled),
                _word(account.tls_required),
                text_of(account.expires_at),
                " ".join(account.networks),
                _word(account.close_notify),
                _word(account.bound),
                quota_text(account.quota),
            ]
        )
    return table.getvalue()


def read(raw: bytes) -> tuple[list[SheetRow], list[RowFault]]:
    """Read a table; return its rows, and what is wrong with them. Rows that do not say whose they are are left out.

    Raises what :func:`transfer.sheet.read` raises about the table as a whole.
    """
    rows, faults = [], []
    for line, cells in sheet.read(raw, _COLUMNS, ["fiduciary"]):
        if isinstance(cells, PermanentFailure):
            faults.append(RowFault(line, cells))
            continue
        found, wrong = _row(cells)
        faults += [RowFault(line, failure) for failure in wrong.values()]
        if not wrong.keys() & {"fiduciary", "account", "dossier"}:
            rows.append(SheetRow(line, **found))
    return rows, faults


def _row(cells: dict[str, str]) -> tuple[dict[str, Any], dict[str, PermanentFailure]]:
    """Read the cells that say something; return their values and what is wrong, both by column."""
    found: dict[str, Any] = {}
    wrong: dict[str, PermanentFailure] = {}
    for column, cell in cells.items():
        if not cell and column != "fiduciary":
            continue
        try:
            found[column] = _READERS[column](cell)
        except PermanentFailure as failure:
            wrong[column] = failure
    if found.get("dossier") and found.get("account") is AccountKind.READ:
        wrong["dossier"] = PermanentFailure("account_csv.read_of_dossier")
    return found, wrong


def _kind(cell: str) -> AccountKind:
    try:
        return AccountKind(cell.upper())
    except ValueError:
        raise PermanentFailure("account_csv.bad_kind", text=cell[:40]) from None


def _yes_or_no(column: str, cell: str) -> bool:
    if cell.lower() in _YES:
        return True
    if cell.lower() in _NO:
        return False
    raise PermanentFailure("account_csv.bad_yes_no", column=column, text=cell[:40])


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


def _name(cell: str) -> str:
    return fiduciary_name(unmarked(cell))


_READERS: dict[str, Callable[[str], object]] = {
    "fiduciary": fiduciary_number,
    "name": _name,
    "account": _kind,
    "dossier": dossier_number,
    "expires": moment_of,
    "networks": lambda cell: networks_of(re.split(r"[\s,;|]+", cell)),
    "quota_mib": quota_of,
    **{column: partial(_yes_or_no, column) for column in ("enabled", "tls_required", "close_notify", "bound")},
}
