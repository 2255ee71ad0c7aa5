"""Carries names that are not UTF-8 through text and back to the same bytes; never guesses what to send."""

import re

# A scanner that deposits "facturée.pdf" in Latin-1 leaves a name that is no UTF-8. Each such byte becomes one of 128
# private characters, so that the name can be stored in a database, and sent again to fetch and remove that very file.
_PRIVATE = 0xEF00
_SURROGATE = 0xDC00
_PRIVATES = re.compile("[\uef80-\uefff]")
_SURROGATES = re.compile("[\udc80-\udcff]")
_EITHER = re.compile("[\uef80-\uefff\udc80-\udcff]")


def from_wire(raw: bytes) -> str:
    """Return the text of bytes that should be UTF-8; each byte that is not becomes a private character."""
    text = _PRIVATES.sub(_bytewise, raw.decode(errors="surrogateescape"))
    return _SURROGATES.sub(lambda found: chr(ord(found[0]) - _SURROGATE + _PRIVATE), text)


def to_wire(text: str) -> bytes:
    """Return the bytes that :func:`from_wire` read ``text`` from."""
    return _PRIVATES.sub(lambda found: chr(ord(found[0]) - _PRIVATE + _SURROGATE), text).encode(
        errors="surrogateescape"
    )


def readable(text: str) -> str:
    """Return ``text`` with its odd bytes as the letters they stand for on Windows and most scanners (CP1252)."""
    return _EITHER.sub(lambda found: bytes([ord(found[0]) & 0xFF]).decode("cp1252", errors="ignore"), text)


def _bytewise(found: re.Match[str]) -> str:
    """Carry a private character that a name really holds like odd bytes, so that it stays what it was."""
    return "".join(chr(_PRIVATE + byte) for byte in found[0].encode())
