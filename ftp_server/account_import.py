"""Makes many accounts from one table, all or none; never changes an account that is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ftp_server.account import Account, Fiduciary, one_folder, usual_account
from ftp_server.account_csv import RowsFailure, SheetRow, read
from ftp_server.accounts import Accounts
from transfer.accounts import AccountKind, AccountName
from transfer.failures import PermanentFailure
from transfer.sheet import RowFault


def import_accounts(
    accounts: Accounts, raw: bytes, now: float, keep: Callable[[Mapping[str, str]], None] = lambda _: None
) -> dict[str, str]:
    """Make the fiduciaries and accounts of a table; return login -> password. ``keep`` as :meth:`Accounts.add` has it.

    Raises ``account_csv.refused`` with everything that is wrong, and what :func:`account_csv.read` raises.
    """
    rows, faults = read(raw)
    firms = {firm.number: firm for firm in accounts.fiduciaries()}
    faults += _misfits(rows, firms, {account.name.login for account in accounts.list()})
    if faults:
        raise RowsFailure("account_csv.refused", faults)
    return accounts.add(*to_make(rows, now), keep)


def to_make(rows: Sequence[SheetRow], now: float) -> tuple[list[Fiduciary], list[Account]]:
    """Return the fiduciaries and accounts that sound rows make, in the order of the rows."""
    spoken = {name: _account(row, name, now) for row in rows for name in row.names()}
    firms = []
    for number in dict.fromkeys(row.fiduciary for row in rows if row.dossier is None):
        own = [row for row in rows if row.fiduciary == number]
        name = next((row.name for row in own if row.name), "")
        firms.append(Fiduciary(number, name, next((row.quota_mib for row in own if row.quota_mib), None), now))
        for kind in AccountKind:  # a firm has both accounts, even if a row speaks of one only
            spoken.setdefault(AccountName(kind, number), usual_account(AccountName(kind, number), now))
    quotas = {firm.number: firm.quota for firm in firms}
    return firms, [replace(account, quota=quotas.get(account.name.fiduciary)) for account in spoken.values()]


def _account(row: SheetRow, name: AccountName, now: float) -> Account:
    usual = usual_account(name, now)
    tls = usual.tls_required if row.tls_required is None else row.tls_required
    if name.kind is AccountKind.READ and row.account is None:
        tls = True  # a firm's row that allows plain FTP means the scanners: collecting stays protected
    return replace(
        usual,
        enabled=row.enabled is not False,
        tls_required=tls,
        expires_at=row.expires,
        networks=row.networks or (),
        close_notify=row.close_notify is not False,
        bound=row.bound is True,
    )


def _misfits(rows: Sequence[SheetRow], firms: Mapping[str, Fiduciary], logins: set[str]) -> list[RowFault]:
    """Return what is wrong with rows beside each other and beside what is there."""
    faults: list[RowFault] = []
    made = {row.fiduciary for row in rows if row.dossier is None}
    taken = set(map(one_folder, logins))
    lines: dict[str, int] = {}
    names = {number: firm.name for number, firm in firms.items() if firm.name}
    quotas = {number: firm.quota for number, firm in firms.items()}

    def fault(code: str, row: SheetRow, **values: str | int | None) -> None:
        faults.append(RowFault(row.line, PermanentFailure(code, **values)))

    for row in rows:
        number = row.fiduciary
        if row.dossier is None and number in firms:
            fault("account.exists", row, login=number)
        elif row.dossier and number not in firms and number not in made:
            fault("account_csv.no_fiduciary", row, number=number)
        for name in row.names():
            login = one_folder(name.login)
            if login in lines:
                fault("account_csv.twice", row, login=name.login, first=lines[login])
            elif row.dossier and login in taken:
                fault("account.exists", row, login=name.login)
            lines.setdefault(login, row.line)
        if row.name and names.setdefault(number, row.name) != row.name:
            fault("account_csv.other_name", row, number=number, name=names[number])
        if row.quota_mib and quotas.setdefault(number, row.quota_mib) != row.quota_mib:
            fault("account_csv.other_quota", row, number=number)
    return faults
