"""Adds and changes dossiers as a table says, and reports on each of its lines; never archives one."""

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dossiers import addresses
from dossiers.dossier import TURN, Dossier, Known, changed, insert_rows, update_row
from dossiers.enterprise import enterprise_number
from dossiers.firm import Firm
from transfer import sheet
from transfer.accounts import dossier_number
from transfer.failures import PermanentFailure

_COLUMNS = {
    "number": ("numero", "nummer", "dossier"),
    "name": ("nom", "naam", "client", "klant"),
    "language": ("langue", "taal"),
    "enterprise": ("entreprise", "bce", "tva", "ondernemingsnummer", "kbo", "btw", "vat"),
    "folder": ("repertoire", "map"),
    "emails": ("email", "e_mail", "e_mails", "courriel", "courriels"),
}
"""Each column with its other names, in small letters without accents."""

_FIELDS = {"name": "name", "language": "language", "enterprise": "enterprise", "folder": "template"}


class Deed(enum.StrEnum):
    """What a line of the table did."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class LineReport:
    """What became of one line (the first is 1); ``failure`` says why it was refused."""

    line: int
    number: str
    deed: Deed
    failure: PermanentFailure | None = None


def import_dossiers(firm: Firm, raw: bytes, only_check: bool = False) -> list[LineReport]:
    """Do what each sound line says, all in one transaction, and return a report on every line.

    A line whose number is new adds a dossier. Any other changes what it says, leaves alone what it leaves open, and
    only adds e-mail addresses. A line with a fault is refused as a whole and keeps no other back. ``only_check``
    reports and keeps nothing. Raises what :func:`transfer.sheet.read` raises about the table as a whole.
    """
    lines = list(sheet.read(raw, _COLUMNS, ["number"]))
    language = firm.settings.text("fiduciary.language")
    with firm.database.write(TURN) as connection:
        register = _Register(Known.of(firm, connection), addresses.owners(connection), language)
        reports = [register.take(line, cells) for line, cells in lines]
        if not only_check:
            insert_rows(connection, register.added.values())
            for dossier in register.changed.values():
                update_row(connection, dossier)
            addresses.insert_rows(connection, register.addresses)
    return reports


class _Register:
    """The dossiers as they stand after each line of the table."""

    def __init__(self, known: Known, owners: dict[str, str], language: str) -> None:
        self.added: dict[str, Dossier] = {}
        self.changed: dict[str, Dossier] = {}
        self.addresses: dict[str, str] = {}
        self._known = known
        self._owners = owners
        self._language = language
        self._lines: dict[str, int] = {}

    def take(self, line: int, cells: dict[str, str] | PermanentFailure) -> LineReport:
        """Do what a line says, and report on it."""
        if isinstance(cells, PermanentFailure):
            return LineReport(line, "", Deed.REFUSED, cells)
        number = cells.get("number", "")
        try:
            return LineReport(line, number, self._deed(line, {key: cell for key, cell in cells.items() if cell}))
        except PermanentFailure as failure:
            return LineReport(line, number, Deed.REFUSED, failure)

    def _deed(self, line: int, cells: Mapping[str, str]) -> Deed:
        number = dossier_number(cells.get("number", ""))
        first = self._lines.setdefault(number.casefold(), line)
        if first != line:
            raise PermanentFailure("dossier_csv.twice", number=number, first=first)
        said = {_FIELDS[column]: _READERS[column](cell) for column, cell in cells.items() if column in _FIELDS}
        theirs = [addresses.checked(each) for each in re.split(r"[\s,;|]+", cells.get("emails", "")) if each]
        before = self._known.get(number)
        after = self._new(number, said) if before is None else changed(before, said)
        for address in theirs:
            if self._owners.get(address, after.number) != after.number:
                raise PermanentFailure("address.taken", address=address, number=self._owners[address])
        self._known.claim(after, before)
        return self._keep(before, after, theirs)

    def _new(self, number: str, said: Mapping[str, str]) -> Dossier:
        twin = self._known.without_zeros(number)
        if twin is not None:
            raise PermanentFailure("dossier_csv.zeros_lost", number=number, other=twin.number, name=twin.name)
        return changed(Dossier(number, said.get("name", ""), self._language), said)

    def _keep(self, before: Dossier | None, after: Dossier, theirs: list[str]) -> Deed:
        fresh = {address: after.number for address in theirs if address not in self._owners}
        self._owners |= fresh
        self.addresses |= fresh
        if before is None:
            self.added[after.number] = after
            return Deed.ADDED
        if after != before:
            self.changed[after.number] = after
        return Deed.UNCHANGED if after == before and not fresh else Deed.CHANGED


_READERS: Mapping[str, Callable[[str], str]] = {
    "name": sheet.unmarked,
    "language": str.lower,
    "enterprise": enterprise_number,
    "folder": str,
}
