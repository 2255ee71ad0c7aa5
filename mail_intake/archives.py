"""Takes the files out of a ZIP archive, within bounds; never writes one, and never follows a path in it."""

import io
import zipfile
import zlib
from dataclasses import dataclass

from transfer.failures import PermanentFailure

MOST_FILES = 200
MOST_BYTES = 100 * 1024 * 1024
HIGHEST_RATIO = 200
_SMALL = 1024 * 1024  # what is this small may be as compressed as it likes
_CLUTTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Inside:
    """A file of an archive, by its number there; ``clutter`` is what systems add by themselves."""

    number: int
    name: str
    content: bytes
    clutter: bool


def unzipped(archive: bytes) -> list[Inside]:
    """Return all files of an archive, or refuse it as a whole.

    The codes say why it waits: ``waiting.encrypted``, ``waiting.archive_too_large`` or ``waiting.damaged``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if any(entry.flag_bits & 0x41 for entry in entries):  # encrypted, or strongly so
                raise PermanentFailure("waiting.encrypted")
            _check_promises(entries)
            left = MOST_BYTES
            found = []
            for number, entry in enumerate(entries, 1):
                content = _content(opened, entry, left)
                left -= len(content)
                found.append(Inside(number, _base_name(entry.filename), content, _is_clutter(entry.filename)))
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise PermanentFailure("waiting.damaged") from None


def _check_promises(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive by what its directory says, before anything is unpacked."""
    whole = sum(entry.file_size for entry in entries)
    bombs = [entry for entry in entries if entry.file_size > max(_SMALL, HIGHEST_RATIO * max(entry.compress_size, 1))]
    if len(entries) > MOST_FILES or whole > MOST_BYTES or bombs:
        raise PermanentFailure("waiting.archive_too_large")


def _content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """Unpack one file, but never more than is left: the directory may lie."""
    with opened.open(entry) as file:
        content = file.read(left + 1)
    if len(content) > left:
        raise PermanentFailure("waiting.archive_too_large")
    return content


def _base_name(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _is_clutter(path: str) -> bool:
    lower = path.lower()
    return lower.startswith(_CLUTTER[0]) or lower.rpartition("/")[2] in _CLUTTER[1:]
