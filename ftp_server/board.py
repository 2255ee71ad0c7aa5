"""What the processes of one server must know of each other at once: short notes, read by all in the same order.

A server with one process needs no notes; its threads take turns all the same. Notes live in memory that the processes
inherit, and die with them: they never replace what is on the disk.
"""

import mmap
import multiprocessing
import struct
import threading
from collections.abc import Callable
from enum import IntEnum
from hashlib import blake2b
from types import TracebackType

KEY = 16
"""Bytes of a note's key: enough that two things never share one by chance."""

_NOTE = struct.Struct(f"B{KEY}s")
_HEAD = struct.Struct("Q")
_NOTES = 65_536


class Kind(IntEnum):
    """What a note tells."""

    NAME_TAKEN = 1
    NAME_FREE = 2
    RECEIVING = 3
    RECEIVED = 4
    NOT_RECEIVED = 5


class Board:
    """``with board:`` takes a turn: no other thread or process has one then, and all earlier notes have been read.

    Made before the processes are forked. Each reader is told the keys of others' notes of its kind, within a turn; a
    process that slept through more notes than the board holds is told to start afresh by its ``missed`` functions.
    """

    def __init__(self, processes: int = 1) -> None:
        self._notes = mmap.mmap(-1, _HEAD.size + _NOTES * _NOTE.size) if processes > 1 else None
        self._turn = multiprocessing.get_context("fork").Lock() if processes > 1 else threading.Lock()
        self._read = 0
        self._readers: dict[Kind, Callable[[bytes], None]] = {}
        self._missed: list[Callable[[], None]] = []

    def tell(self, readers: dict[Kind, Callable[[bytes], None]], missed: Callable[[], None]) -> None:
        """Add readers of kinds of notes."""
        self._readers.update(readers)
        self._missed.append(missed)

    def note(self, kind: Kind, key: bytes) -> None:
        """Tell the other processes something; only within a turn."""
        if self._notes:
            _NOTE.pack_into(self._notes, self._place(self._read), kind, key)
            self._read += 1
            _HEAD.pack_into(self._notes, 0, self._read)

    def __enter__(self) -> None:
        self._turn.acquire()
        if self._notes:
            self._catch_up(self._notes)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._turn.release()

    def _catch_up(self, notes: mmap.mmap) -> None:
        (written,) = _HEAD.unpack_from(notes, 0)
        if written - self._read > _NOTES:
            self._read = written
            for missed in self._missed:
                missed()
        while self._read < written:
            kind, key = _NOTE.unpack_from(notes, self._place(self._read))
            self._read += 1
            reader = self._readers.get(Kind(kind))
            if reader:
                reader(key)

    def _place(self, number: int) -> int:
        return _HEAD.size + number % _NOTES * _NOTE.size


def key_of(*words: str) -> bytes:
    """Return a note's key for some words, in which no word holds a NUL."""
    return blake2b("\0".join(words).encode(), digest_size=KEY).digest()
