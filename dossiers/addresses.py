"""The e-mail addresses that stand for a dossier: each for one only; never reads or sends a mail."""

import re
from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from dossiers import tables
from dossiers.dossier import find
from dossiers.firm import Firm
from transfer.failures import PermanentFailure

_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\".]+(\.[^@\s<>,;\".]+)+")
_addresses = tables.dossier_addresses


def add(firm: Firm, number: str, address: str) -> str:
    """Let an address stand for a dossier; return it as kept. One that stands for another is ``address.taken``."""
    address, dossier = checked(address), find(firm, number)
    with firm.database.write() as connection:
        owner = owners(connection).get(address)
        if owner not in {None, dossier.number}:
            raise PermanentFailure("address.taken", address=address, number=owner)
        if owner is None:
            insert_rows(connection, {address: dossier.number})
    return address


def release(firm: Firm, number: str, address: str) -> None:
    """Let an address stand for this dossier no more; ``address.unknown`` when it does not."""
    theirs = _addresses.c.address == checked(address), _addresses.c.dossier == number
    with firm.database.write() as connection:
        if connection.execute(delete(_addresses).where(*theirs)).rowcount == 0:
            raise PermanentFailure("address.unknown", address=address[:100], number=number)


def every(firm: Firm) -> dict[str, str]:
    """Return the number of the dossier that each address stands for; addresses are in small letters."""
    with firm.database.read() as connection:
        return owners(connection)


def owners(connection: Connection) -> dict[str, str]:
    """Return the same within a transaction."""
    rows = connection.execute(select(_addresses).order_by(_addresses.c.address))
    return {row.address: row.dossier for row in rows}


def insert_rows(connection: Connection, fresh: Mapping[str, str]) -> None:
    """Write which dossier each new, checked address stands for."""
    if fresh:
        connection.execute(insert(_addresses), [{"address": one, "dossier": number} for one, number in fresh.items()])


def checked(address: str) -> str:
    """Return an address in small letters, or refuse what is none with ``address.bad``."""
    address = address.strip().lower()
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise PermanentFailure("address.bad", address=address[:100])
    return address
