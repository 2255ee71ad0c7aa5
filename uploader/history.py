"""Remembers on the client's PC what was sent, when and with which proof; never sends or removes a file."""

import contextlib
import hashlib
import os
import secrets
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transfer.failures import TemporaryFailure
from transfer.following import Followed
from transfer.receipts import Proof
from uploader.events import Fate
from uploader.history_file import HistoryFile, connect, unusable
from uploader.local_file import Seen
from uploader.sent_file import Placed, SentFile, Settled, ToRecord

_COLUMNS = "id, path, size, mtime_ns, sha256, stored_as, proof, sent_at, fate, kept_as, received_at, collected_at"


def data_folder() -> Path:
    """Return the user's own folder for Navette: NAVETTE_DATA, else what the platform says."""
    if named := os.environ.get("NAVETTE_DATA"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Navette"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "navette"


class History:
    """The history file of one user. Every write is on the disk when its method returns; threads may share it.

    Raises ``history.unusable`` when the disk or the file refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = HistoryFile(folder)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextlib.contextmanager
    def only_upload(self, target: str) -> Iterator[None]:
        """Hold the only upload to a target; refuse with ``upload.runs_already`` while another program holds it.

        The hold is a lock on an open file: it ends with the program, however that ends.
        """
        name = f"running-{hashlib.sha256(target.encode()).hexdigest()[:8]}.lock"
        with unusable():
            hold = connect(self._folder / name, busy_seconds=0)
        with contextlib.closing(hold):
            try:
                hold.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error:
                raise TemporaryFailure("upload.runs_already") from None
            yield

    def record(self, target: str, new: Sequence[ToRecord], settled: Sequence[Settled], at: datetime) -> list[int]:
        """Write down that files are stored, before anything happens to them here; return the numbers of their lines.

        In the same step goes what became of files that were written down earlier: the disk is waited for once.
        """
        if not new and not settled:
            return []
        numbers: list[int] = []

        def write(database: sqlite3.Connection) -> None:
            numbers.extend(self._insert(database, target, one, at) for one in new)
            for one in settled:
                _settle(database, one)

        self._file.write(write)
        return numbers

    @staticmethod
    def _insert(database: sqlite3.Connection, target: str, one: ToRecord, at: datetime) -> int:
        receipt, path = one.receipt, _text(one.receipt.source)
        database.execute("DELETE FROM placing WHERE target = ? AND path = ?", (target, path))
        line = database.execute(
            "INSERT INTO sent (target, path, size, mtime_ns, sha256, stored_as, proof, sent_at, fate, kept_as) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                target,
                path,
                receipt.size,
                one.seen.mtime_ns,
                receipt.sha256,
                receipt.stored_as,
                receipt.proof,
                _time(at),
                Fate.SENT,
                _path(one.kept_as),
            ),
        )
        return line.lastrowid or 0

    def settle(self, number: int, fate: Fate, kept_as: Path | None = None) -> None:
        """Write down what became of a local file that was sent."""
        self._file.write(lambda database: _settle(database, Settled(number, fate, kept_as)))

    def note(self, told: Mapping[int, Followed]) -> None:
        """Write down what the server told of documents, by the numbers of their lines."""
        rows = [(_time(one.received_at), _time(one.collected_at), number) for number, one in told.items()]
        change = "UPDATE sent SET received_at = ?, collected_at = ? WHERE id = ?"
        self._file.write(lambda database: database.executemany(change, rows))

    def unfinished(self, target: str) -> set[str]:
        """Return the paths, as the history holds them, of files that an upload left somewhere between two steps."""
        with self._file.reading() as database:
            asked = (
                "SELECT path FROM sent WHERE target = ? AND fate = ? UNION SELECT path FROM placing WHERE target = ?"
            )
            return {row[0] for row in database.execute(asked, (target, Fate.SENT, target))}

    def unsettled(self, target: str, path: Path, seen: Seen) -> SentFile | None:
        """Return the line of this version of a file if it was sent but never removed or kept."""
        found = self._lines(
            "WHERE target = ? AND path = ? AND size = ? AND mtime_ns = ? AND fate = ? ORDER BY id DESC LIMIT 1",
            (target, _text(str(path)), seen.size, seen.mtime_ns, Fate.SENT),
        )
        return found[0] if found else None

    def kept_before(self, moment: datetime) -> list[SentFile]:
        """Return the lines of files kept here that were sent before ``moment``."""
        return self._lines(
            "WHERE kept_as IS NOT NULL AND fate IN (?, ?) AND sent_at < ?",
            (Fate.KEPT, Fate.SENT, _time(moment)),
        )

    def latest(self, target: str, most: int) -> list[SentFile]:
        """Return the last ``most`` lines for a target, newest first."""
        return self._lines("WHERE target = ? ORDER BY id DESC LIMIT ?", (target, most))

    def uncollected(self, target: str, most: int) -> list[SentFile]:
        """Return the last ``most`` lines for a target of which the firm's collecting is not known, newest first."""
        return self._lines("WHERE target = ? AND collected_at IS NULL ORDER BY id DESC LIMIT ?", (target, most))

    def contents_sent(self, target: str) -> set[tuple[int, str]]:
        """Return size and SHA-256 of all that was ever sent to a target."""
        with self._file.reading() as database:
            return set(database.execute("SELECT DISTINCT size, sha256 FROM sent WHERE target = ?", (target,)))

    def versions_sent(self, target: str) -> set[tuple[str, int, int]]:
        """Return path, size and mtime_ns of all that was ever sent to a target."""
        with self._file.reading() as database:
            return set(database.execute("SELECT path, size, mtime_ns FROM sent WHERE target = ?", (target,)))

    def place(self, target: str, path: Path, seen: Seen, placed: Placed) -> None:
        """Write down the remote name a file is about to get, before a server can show it under that name."""
        row = (target, _text(str(path)), seen.size, seen.mtime_ns, placed.stored_as, placed.part)
        self._file.write(
            lambda database: database.execute("INSERT OR REPLACE INTO placing VALUES (?, ?, ?, ?, ?, ?)", row)
        )

    def placed(self, target: str, path: Path, seen: Seen) -> Placed | None:
        """Return the remote name this version of a file was about to get when an upload broke off."""
        with self._file.reading() as database:
            found = database.execute(
                "SELECT stored_as, part FROM placing WHERE target = ? AND path = ? AND size = ? AND mtime_ns = ?",
                (target, _text(str(path)), seen.size, seen.mtime_ns),
            ).fetchone()
        return None if found is None else Placed(*found)

    def setting(self, name: str, default: str = "") -> str:
        """Return what was remembered under ``name``."""
        with self._file.reading() as database:
            found = database.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if found is None else str(found[0])

    def remember(self, name: str, value: str) -> None:
        """Remember a small value, such as the last folder."""
        row = (name, _text(value))
        self._file.write(lambda database: database.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", row))

    def installation(self) -> str:
        """Return a word made once that tells this PC's uploads from those of any other."""
        if not self.setting("installation"):
            row = (secrets.token_hex(8),)
            first = "INSERT OR IGNORE INTO setting VALUES ('installation', ?)"
            self._file.write(lambda database: database.execute(first, row))
        return self.setting("installation")

    def _lines(self, where: str, values: tuple[Any, ...]) -> list[SentFile]:
        with self._file.reading() as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM sent {where}", values).fetchall()  # noqa: S608
        return [
            SentFile(
                number=row[0],
                path=row[1],
                size=row[2],
                mtime_ns=row[3],
                sha256=row[4],
                stored_as=row[5],
                proof=Proof(row[6]),
                sent_at=datetime.fromisoformat(row[7]),
                fate=Fate(row[8]),
                kept_as=row[9],
                received_at=_moment(row[10]),
                collected_at=_moment(row[11]),
            )
            for row in rows
        ]


def path_key(path: Path) -> str:
    """Return how the history holds a path."""
    return _text(str(path))


def version_key(path: Path, size: int, mtime_ns: int) -> tuple[str, int, int]:
    """Return what :meth:`History.versions_sent` holds for this version of a file."""
    return _text(str(path)), size, mtime_ns


def _settle(database: sqlite3.Connection, one: Settled) -> None:
    values = (one.fate, _path(one.kept_as), one.line)
    database.execute("UPDATE sent SET fate = ?, kept_as = ? WHERE id = ?", values)


def _path(path: Path | None) -> str | None:
    return None if path is None else _text(str(path))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(path: str) -> str:
    """Return a path as text that can be stored even when its bytes are not text in any encoding."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
