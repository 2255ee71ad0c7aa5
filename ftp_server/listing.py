"""Writes folder listings as MLSD, LIST and NLST want them; never reads a folder."""

import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

_ROWS = 1000
_DAY = 86_400
_RECENT = 180 * _DAY
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Entry(NamedTuple):
    """A file or folder to list: size in bytes, time of change in seconds since 1970 UTC."""

    name: str
    is_folder: bool
    size: int
    modified: float
    sha256: str | None = None
    may: str = ""
    origin: str = ""


def fact_line(entry: Entry) -> str:
    """Return an entry's facts (RFC 3659) and name, as in MLSD; our own facts spare collectors a question."""
    name, is_folder, size, modified, sha256, may, origin = entry
    if is_folder:
        return f"type=dir;perm={may};modify={stamp(modified)}; {name}"
    digest = f"x.sha256={sha256};" if sha256 else ""
    return f"type=file;perm={may};modify={stamp(modified)};size={size};{digest}{origin} {name}"


def long_line(entry: Entry, now: float) -> str:
    """Return an entry as ``ls -l`` prints it, which is what devices and browsers read."""
    name, is_folder, size, modified, *_ = entry
    kind = "drwxr-x---" if is_folder else "-rw-r-----"
    when = _minute(int(modified // 60), abs(now - modified) < _RECENT)
    return f"{kind}   1 navette  navette {size:>12} {when} {name}"


def stamp(seconds: float) -> str:
    """Return a time as YYYYMMDDHHMMSS in UTC, as MDTM and facts give it."""
    minute, second = divmod(int(seconds), 60)
    return f"{_stamped(minute)}{second:02}"


# Files of one folder were changed close to each other: most lines of a listing share their minute with another.


@lru_cache(4096)
def _stamped(minute: int) -> str:
    return time.strftime("%Y%m%d%H%M", time.gmtime(minute * 60))


@lru_cache(4096)
def _minute(minute: int, recent: bool) -> str:
    changed = time.gmtime(minute * 60)
    when = time.strftime("%H:%M", changed) if recent else f"{changed.tm_year:>5}"
    return f"{_MONTHS[changed.tm_mon - 1]} {changed.tm_mday:>2} {when}"


def blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """Join lines into blocks worth sending."""
    waiting = iter(lines)
    while held := list(islice(waiting, _ROWS)):
        held.append("")
        yield "\r\n".join(held).encode()
