"""Makes, hashes and compares passwords; never keeps one: what was right is remembered as a keyed fingerprint."""

import hmac
import os
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_LENGTH = 20
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike


def new_password() -> str:
    """Return a random password of 20 letters and digits without look-alikes (about 116 bits)."""
    return "".join(secrets.choice(_LETTERS) for _ in range(PASSWORD_LENGTH))


class Passwords:
    """Argon2id, and a memory of verified passwords whose key dies with the program; for any thread."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slow = threading.Semaphore(2)  # an argon2 check takes 64 MiB: two at a time are enough for two cores
        self._unknown = self._hasher.hash(secrets.token_hex())
        self._key = secrets.token_bytes(32)
        self._right: dict[str, tuple[str, bytes]] = {}

    def hashes(self, passwords: Sequence[str]) -> list[str]:
        """Return the argon2id hash of each; takes about 0.1 s for one, so several are made side by side."""
        if len(passwords) == 1:
            return [self._hasher.hash(passwords[0])]
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
            return list(threads.map(self._hasher.hash, passwords))

    def remembers(self, login: str, stored: str, password: bytes) -> bool:
        """Tell, in microseconds, whether this password was right before for this login and this very hash."""
        right = self._right.get(login)
        return (
            right is not None
            and right[0] == stored
            and hmac.compare_digest(right[1], self._fingerprint(login, password))
        )

    def fit(self, login: str, stored: str | None, password: bytes) -> bool:
        """Compare with a stored hash by argon2, and remember a right password; no hash (None) takes as long."""
        with self._slow:
            try:
                self._hasher.verify(stored or self._unknown, password)
            except (VerificationError, InvalidHashError):
                return False
        if stored is None:
            return False
        self._right[login] = (stored, self._fingerprint(login, password))
        return True

    def _fingerprint(self, login: str, password: bytes) -> bytes:
        return hmac.digest(self._key, login.encode() + b"\0" + password, "sha256")
