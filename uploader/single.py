"""Lets one window be open for each place files are sent to, and brings it to the front; never ends a program."""

import contextlib
import hashlib
import sqlite3
from pathlib import Path

from transfer.failures import PermanentFailure


class Single:
    """Holds the only window for one target; the hold is a lock on an open file and ends with the program."""

    def __init__(self, folder: Path, target: str) -> None:
        mark = hashlib.sha256(target.encode()).hexdigest()[:8]
        self._asked = folder / f"window-{mark}.asked"
        self._seen = 0
        self._hold: sqlite3.Connection | None = None
        self._lock = folder / f"window-{mark}.lock"

    def take(self) -> bool:
        """Become the only window; when there is one already, ask it to come to the front and return False."""
        try:
            self._hold = sqlite3.connect(self._lock, timeout=0, isolation_level=None)
            self._hold.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self.release()
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                self._ask()
                return False
            raise PermanentFailure("history.unusable", reason=type(error).__name__) from error
        self._seen = self._asked_at()
        return True

    def asked(self) -> bool:
        """Tell, once, whether another start asked for this window."""
        before, self._seen = self._seen, self._asked_at()
        return self._seen != before

    def release(self) -> None:
        """Let another window be the only one."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def _ask(self) -> None:
        with contextlib.suppress(OSError):
            self._asked.touch()

    def _asked_at(self) -> int:
        try:
            return self._asked.stat().st_mtime_ns
        except OSError:
            return 0
