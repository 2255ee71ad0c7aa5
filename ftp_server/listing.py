"""Writes folder listings as MLSD, LIST and NLST want them; never reads a folder."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ROWS = 500
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Entry:
    """A file or folder to list: size in bytes, time of change in seconds since 1970 UTC."""

    name: str
    is_folder: bool
    size: int
    modified: float
    sha256: str | None = None
    may: str = ""


def fact_line(entry: Entry) -> str:
    """Return an entry's facts (RFC 3659) and name, as in MLSD; our own fact X.SHA256 spares collectors a question."""
    facts = f"type={'dir' if entry.is_folder else 'file'};"
    facts += f"perm={entry.may};modify={stamp(entry.modified)};"
    if not entry.is_folder:
        facts += f"size={entry.size};"
    if entry.sha256:
        facts += f"x.sha256={entry.sha256};"
    return f"{facts} {entry.name}"


def long_line(entry: Entry, now: float) -> str:
    """Return an entry as ``ls -l`` prints it, which is what devices and browsers read."""
    changed = time.gmtime(entry.modified)
    recent = abs(now - entry.modified) < 180 * 86_400
    when = time.strftime("%H:%M", changed) if recent else f"{changed.tm_year:>5}"
    kind = "drwxr-x---" if entry.is_folder else "-rw-r-----"
    day = f"{_MONTHS[changed.tm_mon - 1]} {changed.tm_mday:>2} {when}"
    return f"{kind}   1 navette  navette {entry.size:>12} {day} {entry.name}"


def stamp(seconds: float) -> str:
    """Return a time as YYYYMMDDHHMMSS in UTC, as MDTM and facts give it."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


def blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """Join lines into blocks worth sending."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) == _ROWS:
            yield ("\r\n".join(held) + "\r\n").encode()
            held.clear()
    if held:
        yield ("\r\n".join(held) + "\r\n").encode()
