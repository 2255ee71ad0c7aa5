"""The firm's dossiers: number, name, language, and the folder their documents go to; never touches that folder."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Formatter

from sqlalchemy import Row, insert, select

from dossiers import tables
from dossiers.firm import Firm
from transfer.accounts import dossier_number
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES
from transfer.safe_names import safe_name, twin_key

TEMPLATE = "{root}/{number} {name}/{year}"
"""Where documents go unless a dossier says otherwise."""

_PLACES = frozenset({"root", "number", "name", "year", "month"})


@dataclass(frozen=True)
class Dossier:
    """A client's dossier at the firm; ``enterprise`` is the ten-digit Belgian number, without BE and dots."""

    number: str
    name: str
    language: str
    template: str = TEMPLATE
    enterprise: str | None = None

    def folder(self, root: Path, moment: datetime) -> Path:
        """Return the folder that a document of that moment goes to; its year is the one on the wall."""
        local = moment.astimezone()
        values = {"number": self.number, "name": safe_name(self.name), "year": local.year, "month": f"{local.month:02}"}
        return Path(self.template.format(root=root, **values))

    def anchor(self, root: Path) -> Path:
        """Return the folder that must exist already: one that does not is a network drive that is not there."""
        fixed, place, _ = self.template.partition("{")
        if not fixed:
            return root
        return Path(fixed + "_").parent if place else Path(fixed)


def add(firm: Firm, dossier: Dossier) -> Dossier:
    """Check a dossier and keep it; returns it as kept. Refused with a ``dossier.`` or ``account.`` code."""
    dossier_number(dossier.number)
    name = " ".join(dossier.name.split())
    if not name or len(name) > 200:
        raise PermanentFailure("dossier.bad_name")
    if dossier.language not in LANGUAGES:
        raise PermanentFailure("dossier.bad_language", language=dossier.language[:10])
    enterprise = enterprise_number(dossier.enterprise) if dossier.enterprise else None
    dossier = Dossier(dossier.number, name, dossier.language, dossier.template, enterprise)
    _check_template(dossier.template)
    root, moment = firm.root, firm.clock()
    folder = twin_key(str(dossier.folder(root, moment)))
    with firm.database.write() as connection:
        for row in connection.execute(select(tables.dossiers)):
            other = _dossier(row)
            if other.number.casefold() == dossier.number.casefold():
                raise PermanentFailure("dossier.number_taken", number=other.number, name=other.name)
            if twin_key(str(other.folder(root, moment))) == folder:
                raise PermanentFailure("dossier.folder_taken", number=other.number, name=other.name)
        connection.execute(
            insert(tables.dossiers).values(
                number=dossier.number,
                name=dossier.name,
                language=dossier.language,
                template=dossier.template,
                enterprise=dossier.enterprise,
            )
        )
    return dossier


def every(firm: Firm) -> list[Dossier]:
    """Return all dossiers by number."""
    with firm.database.read() as connection:
        return [_dossier(row) for row in connection.execute(select(tables.dossiers).order_by(tables.dossiers.c.number))]


def find(firm: Firm, number: str) -> Dossier:
    """Return the dossier of that number, in capitals or not, or refuse it with ``dossier.unknown``."""
    for dossier in every(firm):
        if dossier.number.casefold() == number.casefold():
            return dossier
    raise PermanentFailure("dossier.unknown", number=number[:40])


def enterprise_number(text: str) -> str:
    """Return a Belgian enterprise number as ten digits; the last two must be 97 less the first eight modulo 97."""
    digits = re.sub(r"[\s.]", "", text.upper().removeprefix("BE")).zfill(10)
    if not re.fullmatch("[0-9]{10}", digits) or 97 - int(digits[:8]) % 97 != int(digits[8:]):
        raise PermanentFailure("dossier.bad_enterprise", number=text[:40])
    return digits


def _dossier(row: Row[tuple[object, ...]]) -> Dossier:
    return Dossier(row.number, row.name, row.language, row.template, row.enterprise)


def _check_template(template: str) -> None:
    """Refuse a template that cannot be filled, or whose folder could lie anywhere."""
    try:
        places = [parts[1:] for parts in Formatter().parse(template) if parts[1] is not None]
        known = all(place in _PLACES and not rule and not turn for place, rule, turn in places)
    except ValueError:
        known = False
    fixed = template.startswith("{root}") or Path(template).is_absolute()
    if not known or not fixed or "{root}" in template[1:] or ".." in Path(template).parts or len(template) > 500:
        raise PermanentFailure("dossier.bad_template", template=template[:200])
