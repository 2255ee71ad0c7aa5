"""The firm's dossiers: number, name, language, and the folder their documents go to; never touches that folder."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from string import Formatter

from sqlalchemy import Connection, Row, insert, select, update

from dossiers import tables
from dossiers.enterprise import enterprise_number
from dossiers.firm import Firm
from transfer.accounts import dossier_number
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES
from transfer.safe_names import safe_name, twin_key

TEMPLATE = "{root}/{dossier}/{year}"
"""Where documents go unless a dossier says otherwise."""

TURN = "dossiers"
"""Those who add or change dossiers take turns, so that no two claim one number or one folder."""

_PLACES = frozenset({"root", "dossier", "number", "name", "year", "month", "kind"})
_KIND_ALONE = re.compile(r"[^\\/]\{kind\}|\{kind\}[^\\/]")
_dossiers = tables.dossiers


@dataclass(frozen=True)
class Dossier:
    """A client's dossier at the firm; ``enterprise`` is the ten-digit Belgian number, without BE and dots.

    ``folder_name`` is the name its folders keep although the dossier has another by now; ``archived`` since when no
    document goes there any more.
    """

    number: str
    name: str
    language: str
    template: str = TEMPLATE
    enterprise: str | None = None
    folder_name: str | None = None
    archived: datetime | None = None

    def folder(self, root: Path, moment: datetime, kind: str = "") -> Path:
        """Return the folder that a document of that moment and kind goes to; its year is the one on the wall.

        A document without a kind goes one level higher.
        """
        local = moment.astimezone()
        name = safe_name(self.folder_name or self.name)
        values = {"number": self.number, "name": name, "dossier": safe_name(f"{self.number} {name}")}
        values |= {"year": f"{local.year}", "month": f"{local.month:02}", "kind": safe_name(kind) if kind else ""}
        return Path(self.template.format(root=root, **values))

    def anchor(self, root: Path) -> Path:
        """Return the folder that must exist already: one that does not is a network drive that is not there."""
        fixed, place, _ = self.template.partition("{")
        if not fixed:
            return root
        return Path(fixed + "_").parent if place else Path(fixed)


def add(firm: Firm, dossier: Dossier) -> Dossier:
    """Check a dossier and keep it; returns it as kept. Refused with a ``dossier.`` or ``account.`` code."""
    dossier = checked(dossier)
    with firm.database.write(TURN) as connection:
        Known.of(firm, connection).claim(dossier)
        insert_rows(connection, [dossier])
    return dossier


def change(
    firm: Firm,
    number: str,
    *,
    name: str | None = None,
    language: str | None = None,
    template: str | None = None,
    enterprise: str | None = None,
) -> Dossier:
    """Change what is given and return the dossier; refused as :func:`add` does.

    Its folders keep the name they have, so that no document moves and whatever reads them finds them; only another
    ``template`` sends new documents elsewhere. An empty ``enterprise`` takes that number away.
    """
    given = {"name": name, "language": language, "template": template, "enterprise": enterprise}
    said = {key: each for key, each in given.items() if each is not None}
    with firm.database.write(TURN) as connection:
        known = Known.of(firm, connection)
        before = known.find(number)
        dossier = changed(before, said)
        known.claim(dossier, before)
        update_row(connection, dossier)
    return dossier


def archive(firm: Firm, number: str) -> Dossier:
    """Let no more documents into a dossier: those deposited for it wait. What is there, and under way, stays whole."""
    return _archived(firm, number, firm.clock())


def reopen(firm: Firm, number: str) -> Dossier:
    """Let documents into an archived dossier again."""
    return _archived(firm, number, None)


def every(firm: Firm, archived: bool = False) -> list[Dossier]:
    """Return all dossiers by number, without those that are archived unless they are asked for."""
    query = select(_dossiers).order_by(_dossiers.c.number)
    with firm.database.read() as connection:
        found = [from_row(row) for row in connection.execute(query)]
    return [dossier for dossier in found if archived or dossier.archived is None]


def find(firm: Firm, number: str) -> Dossier:
    """Return the dossier of that number, in capitals or not, or refuse it with ``dossier.unknown``."""
    with firm.database.read() as connection:
        return Known.of(firm, connection).find(number)


def find_open(firm: Firm, number: str) -> Dossier:
    """Return a dossier that documents may go to, or refuse it with ``dossier.unknown`` or ``dossier.archived``."""
    dossier = find(firm, number)
    if dossier.archived is not None:
        raise PermanentFailure("dossier.archived", number=dossier.number, name=dossier.name)
    return dossier


class Known:
    """All dossiers as one transaction sees them, to refuse one that would get the number or the folder of another."""

    def __init__(self, dossiers: Iterable[Dossier], root: Path, moment: datetime) -> None:
        self._root = root
        self._moment = moment
        self._by_number: dict[str, Dossier] = {}
        self._by_folder: dict[str, Dossier] = {}
        self._by_bare_number: dict[str, Dossier] = {}
        for dossier in dossiers:
            self._keep(dossier)

    @classmethod
    def of(cls, firm: Firm, connection: Connection) -> "Known":
        """Return the dossiers that a firm has in this transaction."""
        return cls(map(from_row, connection.execute(select(_dossiers))), firm.root, firm.clock())

    def get(self, number: str) -> Dossier | None:
        """Return the dossier of that number, in capitals or not."""
        return self._by_number.get(number.casefold())

    def without_zeros(self, number: str) -> Dossier | None:
        """Return a dossier whose number differs at most by the zeros it begins with."""
        return self._by_bare_number.get(_bare(number))

    def find(self, number: str) -> Dossier:
        """Return the dossier of that number, or refuse it with ``dossier.unknown``."""
        found = self.get(number)
        if found is None:
            raise PermanentFailure("dossier.unknown", number=number[:40])
        return found

    def claim(self, dossier: Dossier, before: Dossier | None = None) -> None:
        """Hold the number and the folder of a new dossier, or of one that was as ``before``; refuse what is taken."""
        same = self.get(dossier.number)
        if same is not None and same is not before:
            raise PermanentFailure("dossier.number_taken", number=same.number, name=same.name)
        other = self._by_folder.get(self._folder(dossier))
        if other is not None and other.number != dossier.number:
            raise PermanentFailure("dossier.folder_taken", number=other.number, name=other.name)
        self._keep(dossier)

    def _keep(self, dossier: Dossier) -> None:
        before = self.get(dossier.number)
        if before is not None:
            self._by_folder.pop(self._folder(before), None)
        self._by_number[dossier.number.casefold()] = dossier
        self._by_bare_number[_bare(dossier.number)] = dossier
        self._by_folder.setdefault(self._folder(dossier), dossier)

    def _folder(self, dossier: Dossier) -> str:
        return twin_key(str(dossier.folder(self._root, self._moment)))


def checked(dossier: Dossier) -> Dossier:
    """Return a dossier as it is kept, or refuse it for what can be seen without knowing any other."""
    dossier_number(dossier.number)
    name = " ".join(dossier.name.split())
    if not name or len(name) > 200:
        raise PermanentFailure("dossier.bad_name")
    if dossier.language not in LANGUAGES:
        raise PermanentFailure("dossier.bad_language", language=dossier.language[:10])
    _check_template(dossier.template)
    enterprise = enterprise_number(dossier.enterprise) if dossier.enterprise else None
    return replace(dossier, name=name, enterprise=enterprise)


def changed(before: Dossier, said: Mapping[str, str]) -> Dossier:
    """Return a dossier with new values for some of its fields, checked; its folders keep the name they have."""
    after = checked(replace(before, **said))  # type: ignore[arg-type]  # only texts are changed
    kept = before.folder_name or before.name
    return replace(after, folder_name=None if kept == after.name else kept)


def insert_rows(connection: Connection, dossiers: Iterable[Dossier]) -> None:
    """Write new dossiers that were checked and claimed."""
    rows = [vars(dossier) for dossier in dossiers]
    if rows:
        connection.execute(insert(_dossiers), rows)


def update_row(connection: Connection, dossier: Dossier) -> None:
    """Write a dossier that was there, and was checked and claimed."""
    connection.execute(update(_dossiers).where(_dossiers.c.number == dossier.number).values(**vars(dossier)))


def from_row(row: Row[tuple[object, ...]]) -> Dossier:
    """Return the dossier that a row of the table holds."""
    return Dossier(row.number, row.name, row.language, row.template, row.enterprise, row.folder_name, row.archived)


def _bare(number: str) -> str:
    return number.casefold().lstrip("0")


def _archived(firm: Firm, number: str, since: datetime | None) -> Dossier:
    with firm.database.write(TURN) as connection:
        dossier = replace(Known.of(firm, connection).find(number), archived=since)
        update_row(connection, dossier)
    return dossier


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
    if _KIND_ALONE.search(template):  # without a kind, a name with a hole would be left
        raise PermanentFailure("dossier.kind_alone", template=template[:200])
