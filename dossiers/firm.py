"""The firm's home: its database, its settings and its folders, opened together; never runs a round."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from dossiers.database import Database
from dossiers.sealing import Seal
from dossiers.settings import Settings

Clock = Callable[[], datetime]
"""Returns the present moment in UTC; tests pass one they turn themselves."""


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class Firm:
    """Everything of the firm, opened from a home folder; close it, or use it in a ``with`` block.

    The home holds ``firm/firm.db``, ``firm/firm.key``, ``firm/waiting/``, ``firm/quarantine/`` (what a virus scanner
    did not let pass), ``firm/mails/`` (mails that were taken out of a mailbox, for some days) and, unless the settings
    name another root, ``dossiers/``. Another database is named by ``database_url``, or for all programs by
    ``firm/database.url``.
    """

    def __init__(
        self, home: Path, database_url: str | None = None, clock: Clock = now, machine: str | None = None
    ) -> None:
        self.home = home.absolute()
        self.clock = clock
        self.machine = machine or socket.gethostname()
        inner = self.home / "firm"
        self.waiting_folder = inner / "waiting"
        self._default_root = self.home / "dossiers"
        self._default_root.mkdir(parents=True, exist_ok=True)
        inner.mkdir(mode=0o700, exist_ok=True)
        self.quarantine_folder = inner / "quarantine"
        self.mails_folder = inner / "mails"
        for folder in (self.waiting_folder, self.quarantine_folder, self.mails_folder):
            folder.mkdir(exist_ok=True)
        self.seal = Seal(inner / "firm.key")
        self.database = Database(database_url or _database_url(inner))
        self.settings = Settings(self.database, self.seal)

    @property
    def root(self) -> Path:
        """The folder that dossiers lie in unless they name another."""
        named = self.settings.text("dossiers.root")
        return Path(named) if named else self._default_root

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _database_url(inner: Path) -> str:
    named = inner / "database.url"
    return named.read_text("utf-8").strip() if named.exists() else f"sqlite:///{inner / 'firm.db'}"
