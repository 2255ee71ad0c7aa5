"""What people did in the console: who, when, from where, to what; never changes a row, and never holds a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from dossiers import tables
from dossiers.firm import Firm

_deeds = tables.deeds


@dataclass(frozen=True)
class Deed:
    """One deed; its sentence is the text ``deed.<deed>``."""

    id: int
    at: datetime
    actor: str
    address: str
    deed: str
    subject: str


def note(firm: Firm, actor: str, address: str, deed: str, subject: str = "") -> None:
    """Keep that a person did something."""
    values: Mapping[str, object] = {"at": firm.clock(), "actor": actor[:64], "address": address[:64], "deed": deed}
    with firm.database.write() as connection:
        connection.execute(insert(_deeds).values({**values, "subject": subject[:255]}))


def latest(firm: Firm, before: int | None = None, most: int = 100) -> list[Deed]:
    """Return the last deeds, the newest first; ``before`` is the id of the last one of the page before."""
    query = select(_deeds).order_by(_deeds.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(_deeds.c.id < before)
    with firm.database.read() as connection:
        return [Deed(*row) for row in connection.execute(query)]
