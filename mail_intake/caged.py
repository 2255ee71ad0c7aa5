"""Has files opened by a program of its own, whose memory and time are limited; never opens one here."""

import os
import subprocess
import sys
from pathlib import Path

from mail_intake.cage import HEAD, MSG, PDF, SECONDS, TNEF
from transfer.failures import PermanentFailure

LARGEST = 100 * 1024 * 1024
"""What is larger waits unopened."""

_HERE = Path(__file__).resolve().parents[1]


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
    command = [sys.executable, "-m", "mail_intake.cage", kind]
    environment = {**os.environ, "PYTHONPATH": str(_HERE)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as child:
        try:
            told, _ = child.communicate(content, timeout=2 * SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            raise PermanentFailure("waiting.unreadable") from None
    if child.returncode != 0:
        raise PermanentFailure("waiting.unreadable")
    return _files(told)


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
