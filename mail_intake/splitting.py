"""Cuts a raw message into its parts by their boundaries, by offsets; never copies, decodes or judges a part.

The standard library's parser makes text of every line, takes several times the memory of the message and 12 to 20 ms
for half a megabyte, and loses parts whose boundaries or header lines are damaged. This looks for the boundaries only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mail_intake.header import Header, parameter

MOST_PARTS = 1000
"""More parts than any honest message has; what lies behind them is not read, and the message is held."""

_DEEPEST = 30
_GUESSED = re.compile(rb"(?:^|\n)--([!-~][ -~]{0,99}?)[ \t]*\r?\n(?:[!-9;-~]+:[^\n]*\n){0,20}?(?i:content-[a-z-]+:)")


@dataclass(frozen=True)
class Leaf:
    """A part that holds no other parts: its header, where its bytes lie in the raw message, and what it lies in.

    ``path`` numbers the parts from 1 (``2.1``); ``within`` has the kinds of the multiparts around it, outermost first.
    """

    header: Header
    start: int
    end: int
    path: str
    within: tuple[str, ...]


class TooManyPartsError(Exception):
    """The message has more than :data:`MOST_PARTS` parts, or they lie too deep in each other."""


def leaves(raw: bytes) -> Iterator[Leaf]:
    """Yield the leaves of a message in their order; raises :class:`TooManyPartsError`."""
    for count, leaf in enumerate(_leaves(raw, 0, len(raw), "", ()), 1):
        if count > MOST_PARTS:
            raise TooManyPartsError
        yield leaf


def _leaves(raw: bytes, start: int, end: int, path: str, within: tuple[str, ...]) -> Iterator[Leaf]:
    if len(within) > _DEEPEST:
        raise TooManyPartsError
    header = Header(raw, start, end)
    body = start + header.size
    kind = header.kind
    if kind.startswith("multipart/"):
        boundary = (
            parameter(header.raw("content-type"), "boundary", encoded=False).encode("utf-8", "surrogateescape").rstrip()
        )
        pieces = _pieces(raw, boundary, body, end) if boundary else []
        if not pieces and (guessed := _GUESSED.search(raw, max(body - 1, 0), end)):
            pieces = _pieces(raw, guessed[1], body, end)
        if pieces:
            for number, (first, last) in enumerate(pieces, 1):
                inner = f"{path}.{number}" if path else str(number)
                yield from _leaves(raw, first, last, inner, (*within, kind))
            return
    yield Leaf(header, body, end, path or "1", within)


def _pieces(raw: bytes, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return where the parts between the lines of a boundary lie.

    A closing line does not close for good: inner and outer parts may have been given the same boundary.
    """
    mark = b"--" + boundary
    lines: list[tuple[int, int, bool]] = []  # where a boundary line starts and ends, and whether it closes
    at = raw.find(mark, start, end)
    while at >= 0:
        stop = raw.find(b"\n", at, end)
        stop = end if stop < 0 else stop + 1
        rest = raw[at + len(mark) : min(stop, at + len(mark) + 200)].strip()
        if (at == start or raw[at - 1 : at] in (b"\n", b"\r")) and rest in (b"", b"--"):
            lines.append((at, stop, rest == b"--"))
        at = raw.find(mark, max(stop, at + 1), end)
    if not lines:
        return []
    found = []
    for (_, first, closes), (last, _, _) in zip(lines, [*lines[1:], (end, end, True)], strict=True):
        if closes and last == end:  # what follows the last part is nobody's
            break
        stop = _before_line_break(raw, first, last) if last < end else last
        if not closes or Header(raw, first, stop).count("content-type"):
            found.append((first, stop))
    return found


def _before_line_break(raw: bytes, first: int, last: int) -> int:
    """Return the end of a part: the line break before a boundary belongs to the boundary."""
    if last > first and raw[last - 1 : last] == b"\n":
        last -= 1
        if last > first and raw[last - 1 : last] == b"\r":
            last -= 1
    return last
