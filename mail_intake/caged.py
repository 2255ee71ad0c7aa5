"""Has files opened by a program of its own, whose memory and time are limited; never opens one here."""

import tempfile

from dossiers import confined
from mail_intake.cage import BOUNDS, HEAD, MSG, PDF, TNEF
from transfer.failures import PermanentFailure

LARGEST = 100 * 1024 * 1024
"""What is larger waits unopened."""


def winmail(content: bytes) -> list[tuple[str, bytes]]:
    """Return the files in a winmail.dat with their names; refused with a ``waiting.`` code when it cannot be opened."""
    return _opened(TNEF, content)


def outlook_message(content: bytes) -> list[tuple[str, bytes]]:
    """Return the files attached to a mail that Outlook saved; refused with a ``waiting.`` code."""
    return _opened(MSG, content)


def opens_without_password(content: bytes) -> bool:
    """Tell whether an encrypted PDF can be read by anyone, as most that only forbid changes can."""
    try:
        return bool(_opened(PDF, content))
    except PermanentFailure:
        return False


def _opened(kind: str, content: bytes) -> list[tuple[str, bytes]]:
    if len(content) > LARGEST:
        raise PermanentFailure("waiting.archive_too_large")
    with tempfile.TemporaryFile() as source:
        source.write(content)
        source.seek(0)
        told = confined.run("mail_intake.cage", [kind], source, BOUNDS)
    if not told.whole:
        raise PermanentFailure("waiting.unreadable")
    return _files(told.output)


def _files(told: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 0
    while at < len(told):
        length, size = HEAD.unpack_from(told, at)
        at += HEAD.size
        name = told[at : at + length].decode("utf-8", "replace")
        at += length
        found.append((name, told[at : at + size]))
        at += size
    return found
