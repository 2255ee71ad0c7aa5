"""Lets one process of the designated machine run, and fences off one that lost its turn; never runs anything."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from dossiers import tables
from dossiers.firm import Firm
from dossiers.settings import store, stored
from transfer.failures import PermanentFailure, TemporaryFailure

TERM = timedelta(seconds=90)
"""How long a lease holds without a sign of life."""

RENEWAL = timedelta(seconds=20)
"""How often its holder gives one."""

LOST = "designation.lost"
"""The one failure after which a runner must stop: another runs."""

_MACHINE = "service.machine"
_SCALE = "service.scale"
_ROUNDS = "rounds"
_ASSIGNING = "assigning"
_SOURCE = "source "
_TURN = "leases"
_lease = tables.lease


class Lease:
    """The right to run, held under a number (its epoch) that grows with each new holder.

    Every write of the holder names the epoch in its own transaction: :meth:`fence` refuses one that is out of date, so
    that a runner that was thought dead can no longer change anything.
    """

    def __init__(self, firm: Firm, name: str, epoch: int) -> None:
        self.epoch = epoch
        self._firm = firm
        self._name = name
        self._turn = threading.Lock()
        self._renewed = firm.clock()

    def fence(self, connection: Connection) -> None:
        """Let the transaction pass if the lease is still ours, and renew it; else raise ``designation.lost``."""
        moment = self._firm.clock()
        renewed = connection.execute(
            update(_lease)
            .where(_lease.c.name == self._name, _lease.c.epoch == self.epoch)
            .values(heartbeat=moment, expires=moment + TERM)
        )
        if renewed.rowcount != 1:
            raise PermanentFailure("designation.lost", machine=self._firm.machine)
        self._renewed = moment

    def keep(self) -> None:
        """Give a sign of life when the last one is 20 seconds old; call it as often as you like, from any thread."""
        with self._turn:
            if self._firm.clock() - self._renewed < RENEWAL:
                return
            with self._firm.database.write() as connection:
                self.fence(connection)

    def release(self) -> None:
        """Let the next one in at once."""
        with self._firm.database.write() as connection:
            connection.execute(
                update(_lease)
                .where(_lease.c.name == self._name, _lease.c.epoch == self.epoch)
                .values(expires=self._firm.clock())
            )


@contextlib.contextmanager
def running_rounds(firm: Firm) -> Iterator[Lease]:
    """Hold the right to run rounds for a ``with`` block.

    Refused with ``designation.not_designated`` on a machine that the settings do not name (where they name none, this
    machine names itself), and with ``designation.runs_elsewhere`` while another process runs.
    """
    with firm.database.write(_TURN) as connection:
        if stored(connection, _SCALE) == "yes":
            raise PermanentFailure("designation.scaled")
        designated = stored(connection, _MACHINE)
        if designated is not None and designated.casefold() != firm.machine.casefold():
            raise PermanentFailure("designation.not_designated", machine=designated, here=firm.machine)
        for other in _live_runners(firm, connection):
            since = f"{other.since.astimezone():%Y-%m-%d %H:%M}"
            raise PermanentFailure("designation.runs_elsewhere", machine=other.machine, since=since)
        if designated is None:
            store(connection, _MACHINE, firm.machine)
        lease = _taken(firm, connection, _ROUNDS)
    with _held(lease):
        yield lease


@contextlib.contextmanager
def collecting(firm: Firm, source: str) -> Iterator[Lease]:
    """Hold the right to run a round over one source, where several machines share the sources among them.

    Refused with ``designation.not_scaled`` where the settings do not say so, and with ``designation.source_busy``
    (temporary) while another process runs a round over this source, or one process over all.
    """
    check_shared(firm)
    with firm.database.write(_TURN) as connection:
        for name in (_ROUNDS, _SOURCE + source):
            other = _live_holder(firm, connection, name)
            if other is not None:
                raise TemporaryFailure("designation.source_busy", source=source, machine=other.machine)
        lease = _taken(firm, connection, _SOURCE + source)
    with _held(lease):
        yield lease


def check_shared(firm: Firm) -> None:
    """Refuse with ``designation.not_scaled`` where the settings do not say that several machines share the sources."""
    if not firm.settings.switch(_SCALE):
        raise PermanentFailure("designation.not_scaled")


def assigning(firm: Firm) -> contextlib.AbstractContextManager[Lease]:
    """Hold the right to assign waiting documents, on any machine; ``designation.busy`` while another does."""
    return _alone(firm, _ASSIGNING)


def telling(firm: Firm) -> contextlib.AbstractContextManager[Lease]:
    """Hold the right to keep and tell alarms, on any machine; ``designation.tells_already`` while another does."""
    return _alone(firm, "alarms")


@contextlib.contextmanager
def _alone(firm: Firm, name: str) -> Iterator[Lease]:
    with firm.database.write(_TURN) as connection:
        if _live_holder(firm, connection, name) is not None:
            raise TemporaryFailure("designation.busy" if name == _ASSIGNING else "designation.tells_already")
        lease = _taken(firm, connection, name)
    with _held(lease):
        yield lease


def holder(firm: Firm) -> tuple[str, datetime] | None:
    """Return a machine that runs rounds now and since when, or None."""
    with firm.database.read() as connection:
        for row in _live_runners(firm, connection):
            return row.machine, row.since
    return None


def collected(firm: Firm) -> set[str]:
    """Return the sources over which a round runs now, where several machines share them."""
    with firm.database.read() as connection:
        return {row.name.removeprefix(_SOURCE) for row in _live_runners(firm, connection)}


def gone(firm: Firm) -> dict[str, datetime]:
    """Return the last sign of life of each machine whose runner ended without giving its lease back."""
    with firm.database.read() as connection:
        rows = [row for row in _runners(connection) if _is_over(firm, row) and row.expires - row.heartbeat >= TERM]
    return {row.machine: row.heartbeat for row in sorted(rows, key=lambda row: row.heartbeat)}


@contextlib.contextmanager
def _held(lease: Lease) -> Iterator[None]:
    try:
        yield
    finally:
        lease.release()


def _live_holder(firm: Firm, connection: Connection, name: str) -> Row[Any] | None:
    row = connection.execute(select(_lease).where(_lease.c.name == name)).one_or_none()
    return None if row is None or _is_over(firm, row) else row


def _live_runners(firm: Firm, connection: Connection) -> list[Row[Any]]:
    return [row for row in _runners(connection) if not _is_over(firm, row)]


def _runners(connection: Connection) -> Sequence[Row[Any]]:
    """Return the leases of those who run rounds: over all sources, or over one of them."""
    of_source = _lease.c.name.startswith(_SOURCE, autoescape=True)
    return connection.execute(select(_lease).where(or_(_lease.c.name == _ROUNDS, of_source))).all()


def _is_over(firm: Firm, row: Row[Any]) -> bool:
    """Tell whether a lease holds no longer; a process of this machine that has ended holds nothing."""
    return row.expires <= firm.clock() or (row.machine == firm.machine and not _is_alive(row.process))


def _taken(firm: Firm, connection: Connection, name: str) -> Lease:
    moment = firm.clock()
    values = {"machine": firm.machine, "process": os.getpid(), "since": moment, "heartbeat": moment}
    values["expires"] = moment + TERM
    before = connection.execute(select(_lease.c.epoch).where(_lease.c.name == name)).scalar()
    if before is None:
        connection.execute(insert(_lease).values(name=name, epoch=1, **values))
        return Lease(firm, name, 1)
    mine = update(_lease).where(_lease.c.name == name, _lease.c.epoch == before).values(epoch=before + 1, **values)
    if connection.execute(mine).rowcount != 1:  # another took it between our two statements
        raise TemporaryFailure("designation.busy")
    return Lease(firm, name, before + 1)


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # there, os.kill would end the process
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)
        ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
