"""The rows of what was received: recorded in groups, looked up, marked collected; never touches a received file."""

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Executable, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ftp_server.database import Database
from ftp_server.folders import Folder, shown
from ftp_server.tables import deposits, suspects

log = logging.getLogger("navette.server")

RETRY_WINDOW = 7 * 86_400.0
"""Seconds during which the same bytes under the same name count as a retry after a lost reply."""

_GROUP = 256
_SOON = 0.05  # seconds that a row nobody waits for waits for others, to share their commit

_INSERT = insert(deposits)

Row = dict[str, object]


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


@dataclass(frozen=True)
class _Change:
    """A statement, with a row when it inserts one, and whoever waits for it."""

    statement: Executable
    row: Row | None
    done: "Future[None]"


def retry_key(login: str, folder: Folder, asked: str, digest: str) -> str:
    """Return what a deposit and its retry share: account, place asked for, and bytes."""
    return sha256(f"{login}\0{shown(folder, asked)}\0{digest}".encode()).hexdigest()


class Deposits:
    """The receipts in SQL. Writes share commits: those that somebody waits for go at once, the others soon."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._waiting: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._last: Future[None] | None = None
        self._hurry = threading.Event()
        self._turn = threading.Condition()
        self._in_flight: set[str] = set()
        self._known: set[str] = set()
        self.forget_old_keys()
        self._writer = threading.Thread(target=self._write, name="deposits", daemon=True)
        self._writer.start()

    def begin(self, key: str) -> Deposit | None:
        """Take a retry key until :meth:`end`: return the deposit it is a retry of, or None if it is new.

        Waits while another session receives the same bytes for the same place.
        """
        with self._turn:
            while key in self._in_flight:
                self._turn.wait()
            self._in_flight.add(key)
            if key not in self._known:
                return None
        self.flush()
        since = self._clock() - RETRY_WINDOW
        with self._database.read() as connection:
            where = and_(deposits.c.retry_key == key, deposits.c.received_at > since)
            row = connection.execute(select(deposits).where(where).limit(1)).first()
        return Deposit(**row._mapping) if row else None

    def end(self, key: str) -> None:
        """Let go of a retry key."""
        with self._turn:
            self._in_flight.discard(key)
            self._turn.notify_all()

    def record(self, deposit: Deposit) -> "Future[None]":
        """Record a deposit soon; its file carries the receipt until then, and through a crash to the next start."""
        return self._record(deposit, hurry=False)

    def record_at_once(self, deposit: Deposit) -> None:
        """Record a deposit and return once its row is on stable storage."""
        self._record(deposit, hurry=True).result()

    def rename(self, deposit: Deposit, name: str) -> None:
        """Change the name a deposit is published under."""
        self._wait_for(update(deposits).where(deposits.c.id == deposit.id).values(name=name))

    def forget(self, deposit_id: str) -> None:
        """Take back a record whose bytes never became whole; its sender was never answered."""
        self._wait_for(delete(deposits).where(deposits.c.id == deposit_id))

    def collected(self, deposit_id: str, at: float) -> None:
        """Note when the fiduciary removed a document it had collected."""
        self._wait_for(update(deposits).where(deposits.c.id == deposit_id).values(collected_at=at))

    def suspect(self, suspect: Suspect) -> None:
        """Record a doubtful file; one that is on record already stays as it was."""
        with self._database.read() as connection:
            known = connection.scalar(select(suspects.c.id).where(suspects.c.id == suspect.id))
        if known is None:
            self._wait_for(insert(suspects), dict(vars(suspect)))

    def find(self, deposit_id: str) -> Deposit | None:
        """Return a deposit by its id."""
        self.flush()
        with self._database.read() as connection:
            row = connection.execute(select(deposits).where(deposits.c.id == deposit_id)).first()
        return Deposit(**row._mapping) if row else None

    def published(self, fiduciary: str, folder: Folder, name: str | None = None) -> Sequence[Deposit]:
        """Return the deposits published in a folder (or under one name there) and not yet collected."""
        self.flush()
        where = [deposits.c.fiduciary == fiduciary, deposits.c.folder == shown(folder)]
        where.append(deposits.c.collected_at.is_(None))
        if name is not None:
            where.append(deposits.c.name == name)
        with self._database.read() as connection:
            rows = connection.execute(select(deposits).where(and_(*where))).all()
        return [Deposit(**row._mapping) for row in rows]

    def forget_old_keys(self) -> None:
        """Keep in memory only the retry keys of the window: most deposits are new, and then no question is asked."""
        where = deposits.c.received_at > self._clock() - RETRY_WINDOW
        with self._turn, self._database.read() as connection:
            self._known = set(connection.scalars(select(deposits.c.retry_key).where(where)))

    def flush(self) -> None:
        """Return once everything recorded so far is on stable storage."""
        last = self._last
        if last and not last.done():
            self._hurry.set()
            wait([last])

    def close(self) -> None:
        """Write what waits and stop."""
        self._waiting.put(None)
        self._hurry.set()
        self._writer.join()

    def _record(self, deposit: Deposit, *, hurry: bool) -> "Future[None]":
        with self._turn:
            self._known.add(deposit.retry_key)
        return self._submit(_INSERT, dict(vars(deposit)), hurry=hurry)

    def _wait_for(self, statement: Executable, row: Row | None = None) -> None:
        self._submit(statement, row, hurry=True).result()

    def _submit(self, statement: Executable, row: Row | None, *, hurry: bool) -> "Future[None]":
        change = _Change(statement, row, Future())
        self._last = change.done
        self._waiting.put(change)
        if hurry:
            self._hurry.set()
        return change.done

    def _write(self) -> None:
        """Commit in groups: whoever comes while one commit is synced shares the next."""
        while (first := self._waiting.get()) is not None:
            self._hurry.wait(_SOON)
            self._hurry.clear()
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

    def _commit(self, group: list[_Change]) -> None:
        try:
            with self._database.write() as connection:
                for statement, rows in _runs(group):
                    connection.execute(statement, rows or None)
        except SQLAlchemyError as error:
            if len(group) == 1:
                log.error("server.not_recorded %s", type(error).__name__)
                group[0].done.set_exception(error)
            for alone in group if len(group) > 1 else []:  # one bad row must not refuse the others
                self._commit([alone])
            return
        for change in group:
            change.done.set_result(None)


def all_suspects(database: Database) -> list[Suspect]:
    """Return all doubtful files, oldest first."""
    with database.read() as connection:
        rows = connection.execute(select(suspects).order_by(suspects.c.received_at)).all()
    return [Suspect(**row._mapping) for row in rows]


def _runs(group: list[_Change]) -> Iterator[tuple[Executable, list[Row]]]:
    """Yield statements in their order, each with all rows that it inserts one after the other."""
    for _, run in itertools.groupby(group, key=lambda change: id(change.statement)):
        changes = list(run)
        yield changes[0].statement, [change.row for change in changes if change.row is not None]
