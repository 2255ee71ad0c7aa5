"""Keeps who was handed which login when, and which of those were taken back; never keeps or changes a password."""

import enum
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, insert, select, update

from dossiers import tables
from dossiers.dossier import Dossier
from dossiers.firm import Firm

_handed_out = tables.handed_out


class Form(enum.StrEnum):
    """In what form a login left the firm."""

    INI = "ini"
    KIT = "kit"
    SHEET = "sheet"
    CANON = "canon"


@dataclass(frozen=True)
class HandedOut:
    """One handing out: for which dossier, which login, in what form, by whom and for whom (both may be empty)."""

    id: int
    at: datetime
    dossier: str
    login: str
    form: Form
    by: str
    receiver: str
    revoked: datetime | None
    revoked_by: str


def note(firm: Firm, dossier: Dossier, login: str, form: Form, *, by: str = "", receiver: str = "") -> None:
    """Keep that a login was handed out at this moment."""
    values = {
        "at": firm.clock(),
        "dossier": dossier.number,
        "login": login,
        "form": form.value,
        "actor": by[:255],
        "receiver": " ".join(receiver.split())[:200],
    }
    with firm.database.write() as connection:
        connection.execute(insert(_handed_out).values(values))


def of_dossier(firm: Firm, number: str) -> list[HandedOut]:
    """Return what was handed out for a dossier, latest first."""
    query = select(_handed_out).where(_handed_out.c.dossier == number).order_by(_handed_out.c.id.desc())
    with firm.database.read() as connection:
        return [_from_row(row) for row in connection.execute(query)]


def revoke(firm: Firm, login: str, by: str = "") -> int:
    """Mark all that hold a login's password as taken back, once it has another; return how many there were."""
    mine = _handed_out.c.login == login, _handed_out.c.revoked.is_(None)
    values = {"revoked": firm.clock(), "revoked_by": by[:255]}
    with firm.database.write() as connection:
        return connection.execute(update(_handed_out).where(*mine).values(values)).rowcount


def _from_row(row: Row[tuple[object, ...]]) -> HandedOut:
    form = Form(row.form)
    who = row.actor or "", row.receiver or "", row.revoked, row.revoked_by or ""
    return HandedOut(row.id, row.at, row.dossier, row.login, form, *who)
