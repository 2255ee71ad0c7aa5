"""The file operations of a delivery, durable and exclusive, with failures that have codes; never decides on a name."""

import contextlib
import ctypes
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from transfer import durable
from transfer.failures import Failure, TemporaryFailure
from transfer.fingerprints import Fingerprint, measure
from transfer.safe_names import twin_key

_ONE_BY_ONE = 16  # up to so many files, syncing each is faster than syncing their whole volume
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_HERE = -100  # AT_FDCWD
_NEVER_REPLACE = 1  # RENAME_NOREPLACE


class Part(io.FileIO):
    """A file under its hidden name while its bytes come in; writes whole blocks or raises a ``delivery.`` failure."""

    def __init__(self, path: Path, beat: Callable[[], None]) -> None:
        super().__init__(path, "x+")
        self.path = path
        self._beat = beat

    def write(self, block: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Write all of a block, and give a sign of life."""
        rest = memoryview(block)
        with failures(self.path.parent):
            while rest:
                rest = rest[super().write(rest) :]
        self._beat()
        return len(block)


class Disk:
    """The file operations of a delivery; tests pass one that fails where they want. Failures are ``delivery.`` ones."""

    def create(self, part: Path, anchor: Path, beat: Callable[[], None] = lambda: None) -> Part:
        """Make a new part, and the folders it needs below ``anchor``; an older part of that name goes first.

        It goes, rather than being written over: it may be the same file as one that was placed already.
        """
        with failures(part.parent):
            if not anchor.is_dir():
                raise FileNotFoundError(errno.ENOENT, "no such folder", str(anchor))
            durable.make_folder(part.parent)
            part.unlink(missing_ok=True)
            return Part(part, beat)

    def sync(self, parts: Sequence[Part]) -> dict[Path, Failure]:
        """Put the bytes of all parts on stable storage and close them; forget and return those that failed."""
        failed: dict[Path, Failure] = {}
        for together, sync in _groups(parts):
            try:
                with failures(together[0].path.parent):
                    sync(together[0].fileno())
            except Failure as failure:
                failed |= dict.fromkeys((part.path for part in together), failure)
        for part in parts:
            if part.path in failed:
                self.drop(part)
            part.close()
        return failed

    def drop(self, part: Part) -> None:
        """Close a part and forget it, as far as the disk allows; one that another process has made anew stays."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(part.fileno()), part.path.stat()):
                part.path.unlink()
        part.close()

    def link(self, part: Path, final: Path) -> None:
        """Give a part its final name; ``FileExistsError`` when that is taken. Nothing is ever replaced."""
        with failures(final.parent):
            if sys.platform == "win32":
                part.rename(final)  # on Windows, this refuses a name that exists
                return
            try:
                os.link(part, final)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                _rename_exclusively(part, final)

    def sync_folder(self, folder: Path) -> None:
        """Put the names in a folder on stable storage."""
        with failures(folder):
            durable.sync_folder(folder)

    def same_file(self, part: Path, final: Path) -> bool:
        """Tell whether both names exist and stand for the same bytes on the disk."""
        with failures(final.parent):
            return durable.same_file(part, final)

    def holds(self, path: Path, expected: Fingerprint) -> bool:
        """Tell whether a file is there with exactly these bytes."""
        with failures(path.parent):
            try:
                with path.open("rb") as file:
                    return measure(file) == expected
            except FileNotFoundError:
                return False

    def taken(self, folder: Path) -> set[str]:
        """Return what the names in a folder share with their twins (:func:`transfer.safe_names.twin_key`)."""
        with failures(folder), os.scandir(folder) as names:
            return {twin_key(name.name) for name in names}

    def discard(self, part: Path) -> None:
        """Forget a part; one that is gone already is as good."""
        with failures(part.parent):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def failures(folder: Path) -> Iterator[None]:
    """Turn what the system raises into ``delivery.disk_full`` or ``delivery.folder_unreachable``.

    ``FileExistsError`` passes: it is the answer of an exclusive operation.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise TemporaryFailure("delivery.disk_full", folder=str(folder)) from error
        cause = errno.errorcode.get(error.errno or 0, "?")
        raise TemporaryFailure("delivery.folder_unreachable", folder=str(folder), cause=cause) from error


def _groups(parts: Sequence[Part]) -> Iterator[tuple[Sequence[Part], Callable[[int], None]]]:
    """Yield which parts are synced by one call, and the call."""
    if len(parts) <= _ONE_BY_ONE or sys.platform != "linux":
        for part in parts:
            yield [part], os.fsync
        return
    volumes: dict[int, list[Part]] = {}
    for part in parts:
        volumes.setdefault(os.fstat(part.fileno()).st_dev, []).append(part)
    for together in volumes.values():  # its first part was opened before any was written: it hears of every error
        yield together, _syncfs


def _syncfs(fd: int) -> None:
    if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
        raise OSError(ctypes.get_errno(), "syncfs")


def _rename_exclusively(part: Path, final: Path) -> None:
    """Rename without replacing, on volumes without links (FAT, some network drives)."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        raise OSError(errno.EOPNOTSUPP, "renameat2")
    if rename(_HERE, os.fsencode(part), _HERE, os.fsencode(final), _NEVER_REPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))  # OSError(EEXIST) is a FileExistsError
