"""Seals secrets with a key that is kept in a file of its own, outside the database; never stores a secret."""

import contextlib
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from transfer.durable import sync_folder
from transfer.failures import PermanentFailure


class Seal:
    """Seals and opens short texts; the key file is made at first use and readable by its owner only."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        try:
            self._fernet = Fernet(_key(key_file))
        except (OSError, ValueError):
            raise PermanentFailure("sealing.key_unreadable", file=str(key_file)) from None

    def seal(self, secret: str) -> str:
        """Return the sealed form of a secret, different each time."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return the secret; one sealed with another key is refused with ``sealing.wrong_key``."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise PermanentFailure("sealing.wrong_key", file=str(self._file)) from None


def _key(file: Path) -> bytes:
    """Read the key; make it first where there is none, so that of two programs only one makes it."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    fd, draft = tempfile.mkstemp(dir=file.parent)  # readable by its owner only
    try:
        with os.fdopen(fd, "wb") as opened:
            opened.write(Fernet.generate_key())
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        Path(draft).unlink()
    sync_folder(file.parent)
    return file.read_bytes()
