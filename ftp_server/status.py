"""How a server is doing, seen from outside: what it tells of itself and what its home holds; never changes it."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from ftp_server.certificate_choice import present
from ftp_server.certificate_facts import CertificateFacts, facts
from ftp_server.running import RunningServer, running_server
from ftp_server.server import opened
from ftp_server.tables import decisions, deposits, suspects
from ftp_server.tally import Told, all_told
from transfer.failures import Failure


@dataclass(frozen=True)
class Counts:
    """What the database counts: what waits to be collected, suspects, arrivals since midnight, the newest one."""

    waiting: int
    waiting_bytes: int
    suspects: int
    today: int
    last: float | None


@dataclass(frozen=True)
class Status:
    """A server at one moment: ``server`` is None when none runs, the others when there is nothing to see.

    ``certificate`` is the one on the disk; a process tells the fingerprint of the one it uses.
    """

    server: RunningServer | None
    told: Sequence[Told]
    certificate: CertificateFacts | None
    free: int | None
    counts: Counts | None

    @property
    def sessions(self) -> int:
        """Return how many sessions there are in all processes."""
        return sum(told.sessions for told in self.told)

    @property
    def to_reload(self) -> bool:
        """Tell whether a process still uses another certificate than the one on the disk."""
        found = self.certificate
        return found is not None and any(told.fingerprint != found.fingerprint for told in self.told)


def status(home: Path, now: float) -> Status:
    """Look at a server's home at ``now`` (seconds since 1970 UTC)."""
    server = running_server(home)
    return Status(
        server=server,
        told=all_told(home, server.since) if server else (),
        certificate=_certificate(home),
        free=shutil.disk_usage(home).free if home.is_dir() else None,
        counts=_counts(home, now),
    )


def _certificate(home: Path) -> CertificateFacts | None:
    try:
        found = present(home)
        return facts(found.chain) if found else None
    except Failure:  # the doctor says why
        return None


def _counts(home: Path, now: float) -> Counts | None:
    """Count in one pass over the deposits; None when there is no database that can be read."""
    if not (home / "server.db").exists():
        return None
    midnight = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    here = deposits.c.collected_at.is_(None)
    counted = select(
        func.count().filter(here),
        func.coalesce(func.sum(deposits.c.size).filter(here), 0),
        func.count().filter(deposits.c.received_at >= midnight),
        func.max(deposits.c.received_at),
    )
    decided = select(decisions.c.suspect)
    undecided = select(func.count()).select_from(suspects).where(suspects.c.id.not_in(decided))
    try:
        with closing(opened(home)) as database, database.read() as connection:
            waiting, waiting_bytes, today, last = connection.execute(counted).one()
            doubtful = connection.scalar(undecided) or 0
    except SQLAlchemyError:  # the doctor says why
        return None
    return Counts(waiting, int(waiting_bytes), doubtful, today, last)
