"""Codes of six digits that a telephone shows (RFC 6238, 30 seconds, SHA-1); never keeps a key or a used code."""

import base64
import hmac
import secrets
import struct
from urllib.parse import quote

STEP = 30
"""Seconds for which a code is shown."""


def new_key() -> str:
    """Return a random key of 160 bits in base 32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(key: str, step: int, digits: int = 6) -> str:
    """Return the code of a key for a time step (seconds since 1970 divided by 30)."""
    digest = hmac.digest(base64.b32decode(key), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def fitting_step(key: str, given: str, seconds: float) -> int | None:
    """Return the time step whose code was given, the present one or a neighbour: clocks differ. None: a wrong code."""
    present = int(seconds // STEP)
    compact = given.replace(" ", "")
    fitting = [step for step in (present - 1, present, present + 1) if _same(code(key, step), compact)]
    return fitting[-1] if fitting else None


def address(key: str, user: str, issuer: str) -> str:
    """Return the ``otpauth:`` address that an app reads from a QR code."""
    return f"otpauth://totp/{quote(issuer)}:{quote(user)}?secret={key}&issuer={quote(issuer)}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
