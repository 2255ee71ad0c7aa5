"""Decides from a file's own bytes whether it ends where its format says it must; never changes or opens a file."""

import enum
from collections.abc import Callable

ReadAt = Callable[[int, int], bytes]
"""``read_at(offset, length)`` returns up to ``length`` bytes of the file from ``offset``."""

_TAIL = 4096
_ZIP_TAIL = 65_557  # end record of 22 bytes and its longest comment
_TIFF_DIRECTORIES = 10_000


class Evidence(enum.StrEnum):
    """What the bytes say: WHOLE has its end mark, TORN lacks it, UNKNOWN is a format without one."""

    WHOLE = "whole"
    TORN = "torn"
    UNKNOWN = "unknown"


def weigh(read_at: ReadAt, size: int) -> Evidence:
    """Judge a file of ``size`` bytes by the end mark of its format (PDF, JPEG, PNG, GIF, TIFF, ZIP, Office files)."""
    head = read_at(0, 1024)
    if b"%PDF-" in head:
        return _found(b"%%EOF" in _tail(read_at, size, _TAIL))
    if head.startswith(b"\xff\xd8\xff"):
        return _found(b"\xff\xd9" in _tail(read_at, size, _TAIL))
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _found(b"IEND\xaeB`\x82" in _tail(read_at, size, _TAIL))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _found(b";" in _tail(read_at, size, 16))
    if head.startswith((b"II*\0", b"MM\0*")):
        return _found(_tiff_is_whole(read_at, size))
    if head.startswith(b"PK\x03\x04"):
        return _found(_zip_is_whole(read_at, size))
    return Evidence.UNKNOWN


def _found(whole: bool) -> Evidence:
    return Evidence.WHOLE if whole else Evidence.TORN


def _tail(read_at: ReadAt, size: int, length: int) -> bytes:
    start = max(0, size - length)
    return read_at(start, size - start)


def _zip_is_whole(read_at: ReadAt, size: int) -> bool:
    tail = _tail(read_at, size, _ZIP_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return False
    return int.from_bytes(tail[at + 20 : at + 22], "little") <= len(tail) - at - 22


def _tiff_is_whole(read_at: ReadAt, size: int) -> bool:
    """Follow the chain of directories (TIFF 6.0, section 2); whole when all of it and all strips lie in the file."""
    little = read_at(0, 2) == b"II"

    def number(data: bytes) -> int:
        return int.from_bytes(data, "little" if little else "big")

    at, seen = number(read_at(4, 4)), set[int]()
    while at and at not in seen and len(seen) < _TIFF_DIRECTORIES:
        seen.add(at)
        if at + 2 > size:
            return False
        count = number(read_at(at, 2))
        directory = read_at(at + 2, count * 12 + 4)
        if len(directory) < count * 12 + 4:
            return False
        if _tiff_end(directory[:-4], number, read_at) > size:
            return False
        at = number(directory[-4:])
    return bool(seen)


def _tiff_end(directory: bytes, number: Callable[[bytes], int], read_at: ReadAt) -> int:
    """Return the furthest byte that a directory's values and its strips or tiles reach."""
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
    end = 0
    blocks: dict[int, list[int]] = {}
    for at in range(0, len(directory), 12):
        entry = directory[at : at + 12]
        tag, kind, count = number(entry[:2]), number(entry[2:4]), number(entry[4:8])
        width = widths.get(kind, 1)
        outside = width * count > 4
        offset = number(entry[8:12])
        if outside:
            end = max(end, offset + width * count)
        if tag in {273, 279, 324, 325} and count <= 1_000_000:
            values = read_at(offset, width * count) if outside else entry[8 : 8 + width * count]
            blocks[tag] = [number(values[i : i + width]) for i in range(0, len(values), width)]
    for offsets, sizes in ((273, 279), (324, 325)):
        for offset, length in zip(blocks.get(offsets, []), blocks.get(sizes, []), strict=False):
            end = max(end, offset + length)
    return end
