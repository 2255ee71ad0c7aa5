"""Looks whether there is room for another document: on the disk, and in its fiduciary's quota; never frees any."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import and_, func, select

from ftp_server.account import Account
from ftp_server.database import Database
from ftp_server.tables import deposits

FREE_SPACE = 64 * 1024 * 1024
"""Bytes that must stay free: below, deposits are refused with 452 before the disk is full."""

_AGE = 2.0  # seconds that a sum of what lies uncollected is good for


class Room:
    """Room on the disk that ``folder`` lies on, and in the quotas; for any thread."""

    def __init__(self, folder: Path, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._sums: dict[str, tuple[float, int]] = {}

    def refusal(self, account: Account) -> str:
        """Return the reply that refuses a deposit, or nothing; a quota is watched to within two seconds."""
        if shutil.disk_usage(self._folder).free <= FREE_SPACE:
            return "452 The disk of the server is nearly full; please keep your file."
        if account.quota is not None and self._uncollected(account.name.fiduciary) >= account.quota:
            return "452 The space of this accountant is full until documents are collected; please keep your file."
        return ""

    def _uncollected(self, fiduciary: str) -> int:
        with self._lock:
            at, size = self._sums.get(fiduciary, (float("-inf"), 0))
            if self._clock() - at > _AGE:
                lying = and_(deposits.c.fiduciary == fiduciary, deposits.c.collected_at.is_(None))
                with self._database.read() as connection:
                    size = int(connection.scalar(select(func.sum(deposits.c.size)).where(lying)) or 0)
                self._sums[fiduciary] = self._clock(), size
            return size
