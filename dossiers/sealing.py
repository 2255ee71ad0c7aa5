"""Seals secrets with a key that is kept in a file of its own, outside the database; never stores a secret."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from transfer.durable import sync_folder
from transfer.failures import PermanentFailure


class Seal:
    """Seals and opens short texts; the key file is made at first use and readable by its owner only.

    It holds a key on each line. The first seals; the others are earlier ones, which open what an older backup holds.
    """

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._read: tuple[int, int] | None = None
        _make_first(key_file)
        self._keys()

    def seal(self, secret: str) -> str:
        """Return the sealed form of a secret, different each time."""
        return self._keys().encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return the secret; one sealed with another key is refused with ``sealing.wrong_key``."""
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise PermanentFailure("sealing.wrong_key", file=str(self._file)) from None

    def add_key(self) -> None:
        """Seal with a new key from now on, in all programs; what earlier keys sealed can still be opened."""
        with _failures(self._file):
            _draft(self._file, Fernet.generate_key() + b"\n" + self._file.read_bytes()).replace(self._file)
            sync_folder(self._file.parent)

    def _keys(self) -> MultiFernet:
        """Return the keys, read anew when another program has added one."""
        with _failures(self._file):
            found = self._file.stat()
            if (found.st_ino, found.st_mtime_ns) != self._read:
                self._fernet = MultiFernet([Fernet(line) for line in self._file.read_bytes().split()])
                self._read = found.st_ino, found.st_mtime_ns
        return self._fernet


@contextlib.contextmanager
def _failures(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError):
        raise PermanentFailure("sealing.key_unreadable", file=str(file)) from None


def _make_first(file: Path) -> None:
    """Make the key where there is none, so that of two programs only one makes it."""
    with _failures(file):
        if file.exists():
            return
        draft = _draft(file, Fernet.generate_key())
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
        finally:
            draft.unlink()
        sync_folder(file.parent)


def _draft(file: Path, content: bytes) -> Path:
    """Write a synced file beside another one, readable by its owner only."""
    fd, draft = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(fd, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    return Path(draft)
