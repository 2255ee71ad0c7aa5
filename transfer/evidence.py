"""Decides from a file's own bytes whether it ends where its format says it must; never changes or opens a file."""

import enum
import re
from collections.abc import Callable
from typing import Literal

ReadAt = Callable[[int, int], bytes]
"""``read_at(offset, length)`` returns up to ``length`` bytes of the file from ``offset``."""

_TAIL = 65_557  # a ZIP's end record of 22 bytes and its longest comment; the padding some printers add fits too
_BLOCK = 1 << 20
_SEARCHED = 64 << 20
_SEGMENTS = 10_000
_TIFF_ENTRIES = 200_000
_TIFF_BLOCKS = 1_000_000
_TIFF_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_STRIPS, _TILES = (273, 279), (324, 325)  # tags of offsets and of byte counts


class Evidence(enum.StrEnum):
    """What the bytes say: WHOLE has its end mark, TORN lacks it, UNKNOWN is a format without one."""

    WHOLE = "whole"
    TORN = "torn"
    UNKNOWN = "unknown"


def weigh(read_at: ReadAt, size: int) -> Evidence:
    """Judge a file of ``size`` bytes by the end mark of its format (PDF, JPEG, PNG, GIF, TIFF, ZIP, Office files)."""
    head = read_at(0, 1024)
    if head.startswith(b"\xff\xd8\xff"):
        return _found(_jpeg_is_whole(read_at, size))
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _found(b"IEND\xaeB`\x82" in _tail(read_at, size))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _found(_tail(read_at, size).rstrip(b"\0").endswith(b"\0;"))
    if head.startswith((b"II*\0", b"MM\0*")):
        return _Tiff(read_at, size).weigh()
    if head.startswith(b"PK\x03\x04"):
        return _found(_zip_is_whole(read_at, size))
    if b"%PDF-" in head:  # some programs write a few bytes before it
        return _found(_pdf_is_whole(_tail(read_at, size)))
    return Evidence.UNKNOWN


def _found(whole: bool) -> Evidence:
    return Evidence.WHOLE if whole else Evidence.TORN


def _tail(read_at: ReadAt, size: int) -> bytes:
    start = max(0, size - _TAIL)
    return read_at(start, size - start)


def _pdf_is_whole(tail: bytes) -> bool:
    """Look past the end marks a PDF has before its end: after page one when made for the web, after earlier saves."""
    before, mark, after = tail.rpartition(b"%%EOF")
    first_page_only = re.search(rb"startxref\s+0\s+$", before[-64:])
    more_begins = re.match(rb"[\s\0]*[0-9]", after) or b" obj" in after
    return bool(mark) and not first_page_only and not more_begins


def _jpeg_is_whole(read_at: ReadAt, size: int) -> bool:
    """Look for the end mark after the start of the picture: a thumbnail in the headers has its own.

    Phones put a film or a second picture behind the end mark; so it may stand far before the end of the file.
    """
    start = _jpeg_scan(read_at)
    if start is None:
        return False
    if b"\xff\xd9" in _tail(read_at, size)[-(size - start) :]:
        return True
    last = min(size, start + _SEARCHED)
    return any(b"\xff\xd9" in read_at(at, _BLOCK + 1) for at in range(start, last, _BLOCK))


def _jpeg_scan(read_at: ReadAt) -> int | None:
    """Return where the compressed picture starts, or None when the file ends or makes no sense before."""
    at = 2
    for _ in range(_SEGMENTS):
        segment = read_at(at, 4)
        if len(segment) < 4 or segment[0] != 0xFF:
            return None
        if segment[1] == 0xDA:
            return at
        at += 1 if segment[1] == 0xFF else 2 + int.from_bytes(segment[2:], "big")
    return None


def _zip_is_whole(read_at: ReadAt, size: int) -> bool:
    """Find the end record, and the directory where it says: a ZIP inside a torn ZIP has both, but at other places."""
    tail = _tail(read_at, size)
    at = tail.rfind(b"PK\x05\x06")
    record = tail[at : at + 22]
    if at < 0 or len(record) < 22 or int.from_bytes(record[20:22], "little") > len(tail) - at - 22:
        return False
    entries, length, start = (int.from_bytes(record[i:j], "little") for i, j in ((10, 12), (12, 16), (16, 20)))
    if entries == 0xFFFF or 0xFFFFFFFF in (length, start):
        return tail[max(0, at - 20) : at].startswith(b"PK\x06\x07")
    if start + length > size - len(tail) + at:
        return False
    return entries == 0 or read_at(start, 4) == b"PK\x01\x02"


class _Tiff:
    """Follows a TIFF's chain of directories (TIFF 6.0, section 2): all of it and all strips must lie in the file."""

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self._read_at = read_at
        self._size = size
        self._order: Literal["little", "big"] = "little" if read_at(0, 2) == b"II" else "big"
        self._entries = _TIFF_ENTRIES
        self._blocks = _TIFF_BLOCKS

    def weigh(self) -> Evidence:
        """Judge; a file with more directories or strips than a document has is UNKNOWN, so that it costs no time."""
        at, seen = self._number(self._read_at(4, 4)), set[int]()
        while at and at not in seen:
            seen.add(at)
            count = self._number(self._read_at(at, 2))
            self._entries -= count + 1
            if self._entries < 0:
                return Evidence.UNKNOWN
            directory = self._read_at(at + 2, count * 12 + 4)
            if len(directory) < count * 12 + 4 or self._end(directory[:-4]) > self._size:
                return Evidence.TORN
            if self._blocks < 0:
                return Evidence.UNKNOWN
            at = self._number(directory[-4:])
        return _found(bool(seen))

    def _number(self, raw: bytes) -> int:
        return int.from_bytes(raw, self._order)

    def _end(self, directory: bytes) -> int:
        """Return the furthest byte that a directory's values and its strips or tiles reach."""
        end = 0
        blocks: dict[int, list[int]] = {}
        for at in range(0, len(directory), 12):
            entry = directory[at : at + 12]
            tag, kind, count = (self._number(part) for part in (entry[:2], entry[2:4], entry[4:8]))
            width = _TIFF_WIDTHS.get(kind, 1)
            offset = self._number(entry[8:12])
            outside = width * count > 4
            if outside:
                end = max(end, offset + width * count)
            if tag in _STRIPS + _TILES:
                self._blocks -= count
                if self._blocks < 0 or end > self._size:
                    return end
                values = self._read_at(offset, width * count) if outside else entry[8 : 8 + width * count]
                blocks[tag] = [self._number(values[i : i + width]) for i in range(0, len(values), width)]
        for offsets, sizes in (_STRIPS, _TILES):
            for offset, length in zip(blocks.get(offsets, []), blocks.get(sizes, []), strict=False):
                end = max(end, offset + length)
        return end
