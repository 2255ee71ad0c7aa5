"""The file a document is received into, and the receipt it carries with it to stable storage; never gives it a name."""

import contextlib
import json
import os
import sys
from pathlib import Path

from ftp_server.deposits import Deposit
from ftp_server.folders import new_id
from transfer.durable import begin_writing, make_folder
from transfer.evidence import Evidence, weigh
from transfer.fingerprints import Measure

_RECEIPT = "user.navette.receipt"
_HURRY = 8 * 1024 * 1024  # bytes after which the disk begins with a large file


class StagingFolder:
    """One worker's own folder in staging: syncing it does not wait for what other workers do in theirs."""

    def __init__(self, path: Path) -> None:
        make_folder(path)
        self.path = path
        self._fd = None if sys.platform == "win32" else os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        self._ready: Staged | None = None

    def prepare(self) -> None:
        """Make the next file, while its sender still gets ready: it then waits for one thing less."""
        if self._ready is None:
            self._ready = Staged(self, new_id())

    def take(self) -> "Staged":
        """Return a new file."""
        ready, self._ready = self._ready, None
        return ready or Staged(self, new_id())

    def sync(self) -> None:
        """Return once the names in it are on stable storage."""
        if self._fd is not None:
            os.fsync(self._fd)

    def close(self) -> None:
        """Let go of the folder; what was received into it stays."""
        if self._ready is not None:
            self._ready.close()
            self._ready.drop()
        if self._fd is not None:
            os.close(self._fd)


class Staged:
    """An open file in staging: what is written to it is counted and hashed on the way."""

    def __init__(self, folder: StagingFolder, name: str) -> None:
        self.id = name
        self.path = f"{folder.path}/{name}"  # a string: each document costs the time of each Path
        self.measured = Measure()
        self._whole: memoryview | None = None
        self._hurried = 0
        self._folder = folder
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._fd = os.open(self.path, flags, 0o640)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self.measured.size

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes written so far, in hex."""
        return self.measured.sha256

    def write(self, block: memoryview) -> None:
        """Add one block, good until the next; raises OSError when the disk does not take it."""
        self._whole = None if self.size else block
        self.measured.add(block)
        while block:
            block = block[os.write(self._fd, block) :]
        if self.size - self._hurried >= _HURRY:
            self.hurry()

    def hurry(self) -> None:
        """Let the disk begin with what was written, while more comes or it is judged: the sync then waits for less."""
        begin_writing(self._fd, self._hurried)
        self._hurried = self.size

    def weigh(self) -> Evidence:
        """Judge the content by the end mark of its format; only before the last block is no longer good."""
        return weigh(self._read_at, self.size)

    def seal(self, deposit: Deposit) -> bool:
        """Return once bytes, receipt and staging name are on stable storage; False if no file can carry a receipt here.

        The receipt is attached to the file, so that one sync stores both.
        """
        carried = _attach(self._fd, deposit)
        self.sync()
        return carried

    def sync(self) -> None:
        """Return once the bytes and the staging name are on stable storage."""
        os.fsync(self._fd)
        self._folder.sync()

    def drop(self) -> None:
        """Remove the file, if it still has its name."""
        Path(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; its name stays."""
        os.close(self._fd)

    def _read_at(self, offset: int, length: int) -> bytes:
        if self._whole is not None:
            return bytes(self._whole[offset : offset + length])
        if sys.platform != "win32":
            return os.pread(self._fd, length, offset)
        os.lseek(self._fd, offset, os.SEEK_SET)
        return os.read(self._fd, length)


def seal(path: Path, deposit: Deposit) -> None:
    """Let a file that carries a receipt carry another, and return once that is on stable storage."""
    fd = os.open(path, os.O_RDWR)
    try:
        _attach(fd, deposit)
        os.fsync(fd)
    finally:
        os.close(fd)


def carried(path: Path) -> Deposit | None:
    """Return the receipt a staging file carries, or None."""
    if sys.platform != "linux":
        return None
    try:
        return Deposit(*json.loads(os.getxattr(path, _RECEIPT)))
    except OSError:
        return None


def _attach(fd: int, deposit: Deposit) -> bool:
    if sys.platform != "linux":
        return False
    try:
        os.setxattr(fd, _RECEIPT, json.dumps(deposit).encode())
    except OSError:
        return False
    return True


def drop_receipt(path: Path) -> None:
    """Take away the receipt a file carries: it was made for bytes that never became whole."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it carries none, or its file system cannot
            os.removexattr(path, _RECEIPT)
