"""Reads the doubtful files with what was decided of each; never decides and never touches a file."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, select

from ftp_server.deposits import Deposit, Suspect
from ftp_server.tables import decisions, deposits, suspects
from transfer.failures import PermanentFailure


class Choice(StrEnum):
    """What a person may decide of a doubtful file."""

    RELEASE = "release"
    DISCARD = "discard"


@dataclass(frozen=True)
class Decision:
    """What was decided of a suspect: ``name`` to publish it under, times in seconds since 1970 UTC."""

    choice: Choice
    name: str
    decided_at: float
    ended_at: float | None


@dataclass(frozen=True)
class Doubtful:
    """A doubtful file, what was decided of it, and the document it became when it was released."""

    suspect: Suspect
    decision: Decision | None = None
    deposit: Deposit | None = None

    @property
    def is_open(self) -> bool:
        """Whether a person must still decide, or what was decided has not ended."""
        return self.decision is None or self.decision.ended_at is None


def doubtful_files(connection: Connection, where: ColumnElement[bool]) -> list[Doubtful]:
    """Return the doubtful files that a condition chooses, oldest first."""
    joined = suspects.outerjoin(decisions, decisions.c.suspect == suspects.c.id)
    joined = joined.outerjoin(deposits, deposits.c.id == suspects.c.id)
    chosen = select(suspects, decisions, deposits).select_from(joined).where(where)
    rows = connection.execute(chosen.order_by(suspects.c.received_at, suspects.c.id)).mappings().all()
    found = []
    for row in rows:
        decision = deposit = None
        if row[decisions.c.suspect]:
            times = row[decisions.c.decided_at], row[decisions.c.ended_at]
            decision = Decision(Choice(row[decisions.c.decision]), row[decisions.c.name], *times)
        if row[deposits.c.id]:
            deposit = Deposit(**{column.name: row[column] for column in deposits.c})
        found.append(Doubtful(Suspect(**{column.name: row[column] for column in suspects.c}), decision, deposit))
    return found


def one(connection: Connection, suspect_id: str) -> Doubtful:
    """Return a doubtful file by its id; refuses any other with ``suspect.unknown``."""
    found = doubtful_files(connection, suspects.c.id == suspect_id)
    if not found:
        raise PermanentFailure("suspect.unknown", id=suspect_id[:40])
    return found[0]


def locked(connection: Connection, suspect_id: str) -> Doubtful:
    """Return a suspect once no other process decides on it; SQLite lets only one write anyway."""
    connection.execute(select(suspects.c.id).where(suspects.c.id == suspect_id).with_for_update()).all()
    return one(connection, suspect_id)
