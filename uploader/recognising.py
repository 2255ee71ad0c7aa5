"""Recognises by their bytes files that were sent before under another name or date; never changes what is ticked."""

from pathlib import Path

from transfer.failures import Failure
from transfer.fingerprints import measure
from uploader.local_file import WatchedFile
from uploader.looking import Looker
from uploader.rows import Row

_BYTES_A_LOOK = 64 << 20

Version = tuple[Path, int, int]
"""Path, size in bytes, mtime_ns."""


Hashes = dict[Version, str | None]
"""The SHA-256 of each version that was read; None where it could not be."""


class Recognising:
    """Reads, in the background, only files as long as one that was sent; each version of a file is read once."""

    def __init__(self) -> None:
        self._looker: Looker[Hashes] = Looker()
        self._hashes: Hashes = {}
        self._sent: set[tuple[int, str]] = set()
        self._sizes: set[int] = set()

    def know(self, contents: set[tuple[int, str]]) -> None:
        """Take over size and SHA-256 of all that was sent."""
        self._sent = contents
        self._sizes = {size for size, _ in contents}

    def unknown(self, row: Row) -> bool:
        """Tell whether a file may have been sent before, but was not read yet."""
        return row.size in self._sizes and _version(row) not in self._hashes

    def known(self, row: Row) -> bool:
        """Tell whether the bytes of a file were sent before."""
        return (row.size, self._hashes.get(_version(row)) or "") in self._sent

    def read_on(self, rows: list[Row], patience: float = 0) -> bool:
        """Read some of the files that are not known yet; return whether there are more to read."""
        self._take(patience)
        if not self._looker.busy:
            batch: list[Version] = []
            left = _BYTES_A_LOOK
            for row in rows:
                if left > 0 and self.unknown(row):
                    batch.append(_version(row))
                    left -= row.size
            if batch:
                self._looker.begin(lambda: _read(batch))
                self._take(patience)
        return self._looker.busy or any(map(self.unknown, rows))

    def _take(self, patience: float) -> None:
        if self._looker.busy and (read := self._looker.take(patience)) is not None:
            self._hashes |= read


def _version(row: Row) -> Version:
    return row.path, row.size, row.mtime_ns


def _read(versions: list[Version]) -> Hashes:
    hashes: Hashes = {}
    for version in versions:
        hashes[version] = None
        try:
            with WatchedFile(version[0]) as file:
                if (file.seen.size, file.seen.mtime_ns) == version[1:]:
                    hashes[version] = measure(file).sha256
        except Failure:
            continue  # it cannot be read now: then it cannot be recognised, and sending will say why
    return hashes
