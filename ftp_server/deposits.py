"""The rows of what was received: recorded in groups, looked up, marked collected; never touches a received file."""

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Executable, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ftp_server.board import KEY, Board, Kind
from ftp_server.database import Database
from ftp_server.folders import Folder, shown
from ftp_server.tables import deposits, suspects

log = logging.getLogger("navette.server")

RETRY_WINDOW = 7 * 86_400.0
"""Seconds during which the same bytes under the same name count as a retry after a lost reply."""

_GROUP = 4096
_LOOK = 0.01  # seconds between two looks at what another process does
_ROW = 10.0  # seconds another process has to write the row of what it published
_SOON = 0.25  # seconds that a row nobody waits for waits for others, to share their commit

_INSERT = insert(deposits)
_COLLECT = update(deposits).where(deposits.c.id == bindparam("of")).values(collected_at=bindparam("at"))

Row = dict[str, object]


class Deposit(NamedTuple):
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
    """A statement, with a row when it inserts one, and whoever waits to know whether it met a row."""

    statement: Executable
    row: Row | None
    done: "Future[int]"


def retry_key(login: str, folder: Folder, asked: str, digest: str) -> str:
    """Return what a deposit and its retry share: account, place asked for, and bytes."""
    return sha256(f"{login}\0{shown(folder, asked)}\0{digest}".encode()).hexdigest()


class Deposits:
    """The receipts in SQL. Writes share commits: those that somebody waits for go at once, the others soon."""

    def __init__(self, database: Database, board: Board, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._board = board
        self._clock = clock
        self._waiting: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._last: Future[int] | None = None
        self._hurry = threading.Event()
        self._pause = threading.Event()  # never set: only waited for
        self._in_flight: set[bytes] = set()
        self._known: dict[bytes, float] = {}
        board.tell(
            {
                Kind.RECEIVING: self._in_flight.add,
                Kind.RECEIVED: self._received,
                Kind.NOT_RECEIVED: self._not_received,
            },
            self.forget_old_keys,
        )
        with board:
            self.forget_old_keys()
        self._writer = threading.Thread(target=self._write, name="deposits", daemon=True)
        self._writer.start()

    def begin(self, key: str) -> Deposit | None:
        """Take a retry key until :meth:`end`: return the deposit it is a retry of, or None if it is new.

        Waits while another session, of any process, receives the same bytes for the same place.
        """
        note = _noted(key)
        while True:
            with self._board:
                if note not in self._in_flight:
                    self._in_flight.add(note)
                    self._board.note(Kind.RECEIVING, note)
                    if not self._is_known(note):
                        return None
                    break
            self._pause.wait(_LOOK)
        return self._recorded(key)

    def known(self, key: str) -> bool:
        """Tell whether what has a retry key was received; costs no question to the database."""
        with self._board:
            return self._is_known(_noted(key))

    def _is_known(self, note: bytes) -> bool:
        return self._known.get(note, float("-inf")) > self._clock() - RETRY_WINDOW

    def _recorded(self, key: str) -> Deposit | None:
        """Return the last deposit with a known key; one that another process published gets its row in a moment."""
        self.flush()
        since = self._clock() - RETRY_WINDOW  # in which few rows are: keys in no order have no index
        where = and_(deposits.c.received_at > since, deposits.c.retry_key == key)
        newest = select(deposits).where(where).order_by(deposits.c.received_at.desc()).limit(1)
        for _ in range(round(_ROW / _LOOK)):  # looks, not seconds: while a server is frozen nobody writes the row
            with self._database.read() as connection:
                row = connection.execute(newest).first()
            if row:
                return Deposit(**row._mapping)
            self._pause.wait(_LOOK)
        return None

    def end(self, key: str, *, received: bool) -> None:
        """Let go of a retry key, which is known from now on if its document was received, and else is not."""
        note = _noted(key)
        with self._board:
            self._board.note(Kind.RECEIVED if received else Kind.NOT_RECEIVED, note)
            (self._received if received else self._not_received)(note)

    def _received(self, note: bytes) -> None:
        self._in_flight.discard(note)
        self._known[note] = self._clock()

    def _not_received(self, note: bytes) -> None:
        self._in_flight.discard(note)
        self._known.pop(note, None)

    def record(self, deposit: Deposit) -> "Future[int]":
        """Record a deposit soon; its file carries the receipt until then, and through a crash to the next start."""
        return self._record(deposit, hurry=False)

    def record_at_once(self, deposit: Deposit) -> None:
        """Record a deposit and return once its row is on stable storage."""
        self._record(deposit, hurry=True).result()

    def rename(self, deposit: Deposit) -> None:
        """Change where a deposit is published: its folder and name."""
        place = {"folder": deposit.folder, "name": deposit.name}
        self._wait_for(update(deposits).where(deposits.c.id == deposit.id).values(place))

    def move(self, deposit: Deposit) -> bool:
        """Change where a deposit is published and its retry key. False if it was collected already."""
        place = {"folder": deposit.folder, "name": deposit.name, "retry_key": deposit.retry_key}
        uncollected = and_(deposits.c.id == deposit.id, deposits.c.collected_at.is_(None))
        return self._wait_for(update(deposits).where(uncollected).values(place)) > 0

    def take_back(self, deposit_id: str, at: float, evidence: str) -> bool:
        """Note that a deposit was withdrawn, and why; what comes again is no retry of it. False if it was collected."""
        uncollected = and_(deposits.c.id == deposit_id, deposits.c.collected_at.is_(None))
        withdrawn = {"evidence": evidence, "collected_at": at, "retry_key": ""}
        return self._wait_for(update(deposits).where(uncollected).values(withdrawn)) > 0

    def forget(self, deposit_id: str) -> None:
        """Take back a record whose bytes never became whole; its sender was never answered."""
        self._wait_for(delete(deposits).where(deposits.c.id == deposit_id))

    def collected(self, deposit_ids: Sequence[str], at: float) -> None:
        """Note when the fiduciary removed documents it had collected: one commit for all.

        Raises TimeoutError when the process that received one does not write its row.
        """
        deadline = time.monotonic() + _ROW
        missing = list(deposit_ids)
        while missing:
            noted = [self._submit(_COLLECT, {"of": each, "at": at}, hurry=True) for each in missing]
            if all(change.result() for change in noted):
                return
            missing = self._without_row(missing)
            if time.monotonic() > deadline:
                raise TimeoutError(missing)
            self._pause.wait(_LOOK)

    def _without_row(self, deposit_ids: Sequence[str]) -> list[str]:
        with self._database.read() as connection:
            there = set(connection.scalars(select(deposits.c.id).where(deposits.c.id.in_(deposit_ids))))
        return [each for each in deposit_ids if each not in there]

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

    def lies(self, deposit: Deposit) -> bool:
        """Tell whether a deposit whose row is written is still where it was published; waits for no other row."""
        where = and_(deposits.c.id == deposit.id, deposits.c.collected_at.is_(None))
        where = and_(where, deposits.c.folder == deposit.folder, deposits.c.name == deposit.name)
        with self._database.read() as connection:
            return connection.scalar(select(deposits.c.id).where(where)) is not None

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
        """Keep in memory only the retry keys of the window: most deposits are new, and then no question is asked.

        Only within a turn at the board.
        """
        known = select(deposits.c.retry_key, deposits.c.received_at)
        with self._database.read() as connection:
            rows = connection.execute(known.where(deposits.c.received_at > self._clock() - RETRY_WINDOW)).all()
        self._known = {_noted(key): at for key, at in rows}

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

    def _record(self, deposit: Deposit, *, hurry: bool) -> "Future[int]":
        return self._submit(_INSERT, deposit._asdict(), hurry=hurry)

    def _wait_for(self, statement: Executable, row: Row | None = None) -> int:
        return self._submit(statement, row, hurry=True).result()

    def _submit(self, statement: Executable, row: Row | None, *, hurry: bool) -> "Future[int]":
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
                met = [connection.execute(run[0].statement, _rows(run) or None).rowcount for run in _runs(group)]
        except SQLAlchemyError as error:
            if len(group) == 1:
                log.error("server.not_recorded %s", type(error).__name__)
                group[0].done.set_exception(error)
            for alone in group if len(group) > 1 else []:  # one bad row must not refuse the others
                self._commit([alone])
            return
        for run, count in zip(_runs(group), met, strict=True):
            for change in run:
                change.done.set_result(int(count == len(run)))


def _runs(group: list[_Change]) -> list[list[_Change]]:
    """Return changes in their order, those of one statement that follow each other together."""
    return [list(run) for _, run in itertools.groupby(group, key=lambda change: id(change.statement))]


def _rows(run: list[_Change]) -> list[Row]:
    return [change.row for change in run if change.row is not None]


def _noted(retry_key: str) -> bytes:
    return bytes.fromhex(retry_key)[:KEY]
