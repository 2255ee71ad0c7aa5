"""A local file as it is read and as it was seen, so that any change is noticed; never writes or removes one."""

import contextlib
import io
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from transfer.failures import PermanentFailure, TemporaryFailure


@dataclass(frozen=True)
class Seen:
    """What tells one version of a file from another: size in bytes, time of change, and the file's own number."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Take the marks out of what the system says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


def check_unchanged(path: Path, seen: Seen) -> None:
    """Raise ``upload.vanished`` or ``upload.changed`` unless ``path`` still is the very file that was seen."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise PermanentFailure("upload.vanished", file=path.name) from None
    except OSError:
        raise TemporaryFailure("upload.unreadable", file=path.name) from None
    if Seen.of(status) != seen:
        raise TemporaryFailure("upload.changed", file=path.name)


class WatchedFile(io.FileIO):
    """A file open for reading whose end is only given out when it did not change while it was read.

    So a sender that reads to the end either sent one whole version of the file, or broke off with
    ``upload.changed``, ``upload.vanished`` or ``upload.unreadable``.
    """

    def __init__(self, path: Path) -> None:
        try:
            refuse_open_for_writing(path)
            super().__init__(path)
        except FileNotFoundError:
            raise PermanentFailure("upload.vanished", file=path.name) from None
        except OSError:
            raise TemporaryFailure("upload.unreadable", file=path.name) from None
        self.path = path
        status = os.fstat(self.fileno())
        self.seen = Seen.of(status)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise PermanentFailure("upload.not_a_file", file=path.name)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on; at the end, or beyond the size first seen, check that the file is still the same."""
        try:
            block = super().read(-1 if size is None else size)
        except OSError:
            raise TemporaryFailure("upload.unreadable", file=self.path.name) from None
        if not block or self.tell() > self.seen.size:
            check_unchanged(self.path, self.seen)
        return block or b""


def refuse_open_for_writing(path: Path) -> None:
    """Raise OSError when another program holds the file open for writing (only Windows can tell).

    Windows brings the listed size and time of an open file up to date late, so they alone do not show that a
    scanner still writes.
    """
    if sys.platform == "win32":
        import _winapi  # the standard library has no public way to ask for a sharing mode

        generic_read, share_read, open_existing = 0x80000000, 1, 3
        handle = _winapi.CreateFile(str(path), generic_read, share_read, 0, open_existing, 0, 0)
        with contextlib.suppress(OSError):
            _winapi.CloseHandle(handle)
