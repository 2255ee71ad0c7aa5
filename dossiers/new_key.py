"""Seals all secrets of the database with a new key; never forgets an earlier one, which older backups need."""

from sqlalchemy import Connection, select, update

from dossiers import tables
from dossiers.database import take_turn
from dossiers.dossier import TURN as DOSSIERS
from dossiers.firm import Firm
from dossiers.settings import SETTINGS, TURN


def rotate(firm: Firm) -> int:
    """Make a new key and seal every secret with it; return how many. May be repeated whenever it was cut off.

    A secret that no key opens is refused with ``sealing.wrong_key``: then all are still as they were.
    """
    firm.seal.add_key()
    with firm.database.write(TURN) as connection:
        take_turn(connection, DOSSIERS)
        return _settings(firm, connection) + _columns(firm, connection)


def _settings(firm: Firm, connection: Connection) -> int:
    values = tables.settings
    names = [setting.name for setting in SETTINGS if setting.secret]
    rows = connection.execute(select(values).where(values.c.name.in_(names))).all()
    for row in rows:
        connection.execute(update(values).where(values.c.name == row.name).values(value=_anew(firm, row.value)))
    return len(rows)


def _columns(firm: Firm, connection: Connection) -> int:
    count = 0
    for column in (each for table in tables.metadata.sorted_tables for each in table.c if each.info.get("sealed")):
        (key,) = column.table.primary_key.columns
        for number, sealed in connection.execute(select(key, column).where(column != "")).all():
            connection.execute(update(column.table).where(key == number).values({column: _anew(firm, sealed)}))
            count += 1
    return count


def _anew(firm: Firm, sealed: str) -> str:
    return firm.seal.seal(firm.seal.open(sealed))
