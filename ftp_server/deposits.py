"""The rows of what was received: recorded in groups, looked up, marked collected; never touches a received file."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from hashlib import sha256

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ftp_server.database import Database
from ftp_server.folders import Folder, shown
from ftp_server.tables import deposits, suspects

RETRY_WINDOW = 7 * 86_400.0
"""Seconds during which the same bytes under the same name count as a retry after a lost reply."""

_GROUP = 256


@dataclass(frozen=True)
class Deposit:
    """One received document: ``folder`` and ``name`` are where it is published, times in seconds since 1970 UTC."""

    id: str
    retry_key: str
    fiduciary: str
    login: str
    folder: str
    name: str
    size: int
    sha256: str
    peer: str
    evidence: str
    received_at: float
    collected_at: float | None = None


@dataclass(frozen=True)
class Suspect:
    """One doubtful file, kept under its id; ``reason`` is the word of the judgement."""

    id: str
    fiduciary: str
    login: str
    folder: str
    name: str
    size: int
    reason: str
    peer: str
    received_at: float


def retry_key(login: str, folder: Folder, asked: str, digest: str) -> str:
    """Return what a deposit and its retry share: account, place asked for, and bytes."""
    return sha256(f"{login}\0{shown(folder, asked)}\0{digest}".encode()).hexdigest()


class Deposits:
    """The receipts in SQL; writes of all threads share one commit, and return once it is on stable storage."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: queue.SimpleQueue[tuple[Callable[[Connection], object], Future[object]] | None] = (
            queue.SimpleQueue()
        )
        self._writer = threading.Thread(target=self._write, name="deposits", daemon=True)
        self._writer.start()

    def record(self, deposit: Deposit) -> "Future[Deposit]":
        """Record a deposit; the result is this one, or the earlier one it is a retry of (then nothing is written)."""
        return self._submit(lambda connection: _record(connection, deposit))

    def rename(self, deposit: Deposit, name: str) -> None:
        """Change the name a deposit is published under."""
        change = update(deposits).where(deposits.c.id == deposit.id).values(name=name)
        self._submit(lambda connection: connection.execute(change)).result()

    def forget(self, deposit_id: str) -> None:
        """Take back a record whose bytes never became whole; its sender was never answered."""
        self._submit(
            lambda connection: connection.execute(delete(deposits).where(deposits.c.id == deposit_id))
        ).result()

    def collected(self, deposit_id: str, at: float) -> None:
        """Note when the fiduciary removed a document it had collected."""
        change = update(deposits).where(deposits.c.id == deposit_id).values(collected_at=at)
        self._submit(lambda connection: connection.execute(change)).result()

    def suspect(self, suspect: Suspect) -> None:
        """Record a doubtful file; one that is on record already stays as it was."""
        self._submit(lambda connection: _suspect(connection, suspect)).result()

    def find(self, deposit_id: str) -> Deposit | None:
        """Return a deposit by its id."""
        with self._database.read() as connection:
            row = connection.execute(select(deposits).where(deposits.c.id == deposit_id)).first()
        return Deposit(**row._mapping) if row else None

    def published(self, fiduciary: str, folder: Folder, name: str | None = None) -> Sequence[Deposit]:
        """Return the deposits published in a folder (or under one name there) and not yet collected."""
        where = [
            deposits.c.fiduciary == fiduciary,
            deposits.c.folder == shown(folder),
            deposits.c.collected_at.is_(None),
        ]
        if name is not None:
            where.append(deposits.c.name == name)
        with self._database.read() as connection:
            rows = connection.execute(select(deposits).where(and_(*where))).all()
        return [Deposit(**row._mapping) for row in rows]

    def suspects(self) -> Sequence[Suspect]:
        """Return all doubtful files, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(suspects).order_by(suspects.c.received_at)).all()
        return [Suspect(**row._mapping) for row in rows]

    def close(self) -> None:
        """Write what waits and stop."""
        self._waiting.put(None)
        self._writer.join()

    def _submit(self, change: Callable[[Connection], object]) -> "Future":  # type: ignore[type-arg]
        future: Future[object] = Future()
        self._waiting.put((change, future))
        return future

    def _write(self) -> None:
        """Commit in groups: whoever comes while one commit is synced shares the next."""
        while (first := self._waiting.get()) is not None:
            group = [first]
            while len(group) < _GROUP:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._waiting.put(None)
                    break
                group.append(following)
            self._commit(group)

    def _commit(self, group: list[tuple[Callable[[Connection], object], "Future[object]"]]) -> None:
        try:
            with self._database.write() as connection:
                results = [change(connection) for change, _ in group]
        except SQLAlchemyError as error:
            if len(group) == 1:
                group[0][1].set_exception(error)
            for alone in group if len(group) > 1 else []:  # one bad row must not refuse the others
                self._commit([alone])
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)


def _record(connection: Connection, deposit: Deposit) -> Deposit:
    earlier = connection.execute(
        select(deposits)
        .where(deposits.c.retry_key == deposit.retry_key, deposits.c.received_at > deposit.received_at - RETRY_WINDOW)
        .limit(1)
    ).first()
    if earlier:
        return Deposit(**earlier._mapping)
    connection.execute(insert(deposits), asdict(deposit))
    return deposit


def _suspect(connection: Connection, suspect: Suspect) -> None:
    if connection.scalar(select(suspects.c.id).where(suspects.c.id == suspect.id)) is None:
        connection.execute(insert(suspects), asdict(suspect))
