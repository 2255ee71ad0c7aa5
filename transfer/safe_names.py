"""Turns any name a device or a mail gives into one that every file system keeps; never touches a file system."""

import re
import unicodedata

from transfer.wire_names import readable

NAME_BYTES = 180
"""Longest name in UTF-8 bytes: leaves room for a counter and for deep target folders on Windows."""

_EXTENSION_BYTES = 24
_UNNAMED = "document"
_FORBIDDEN = re.compile(r'[\\/:*?"<>|\ufffd]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def safe_name(raw: str) -> str:
    """Return ``raw`` as a file name of at most 180 UTF-8 bytes that means the same on Windows, macOS and Linux.

    Separators, wildcards and colons become ``_``; control, format, private and unassigned characters go; blanks of any
    kind become plain ones; a leading dot, a reserved Windows name and an empty name are made visible and harmless. The
    result is NFC, and a safe name given again is returned unchanged.
    """
    name = _FORBIDDEN.sub("_", _visible(raw)).strip(" ").rstrip(". ")
    name = _guarded(_cut(name, NAME_BYTES))  # cutting can lay a reserved name bare
    return _cut(name, NAME_BYTES) or _UNNAMED


def twin_key(name: str) -> str:
    """Return what two names share when a Windows or macOS folder cannot hold both of them."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def numbered(name: str, n: int) -> str:
    """Return the safe name ``name`` with a counter before its extension: ``scan.pdf``, 2 -> ``scan(2).pdf``."""
    stem, extension = split_extension(name)
    counter = f"({n})"
    return _cut_stem(stem, NAME_BYTES - len((counter + extension).encode())) + counter + extension


def is_numbered(name: str, original: str) -> bool:
    """Tell whether ``name`` is ``original`` as it is, or as :func:`numbered` returns it with some counter."""
    counter = re.search(r"\((\d{1,9})\)[^()]*$", name)
    return name == original or (counter is not None and name == numbered(original, int(counter[1])))


def split_extension(name: str) -> tuple[str, str]:
    """Split a name before its last dot, if what follows is short enough to be an extension."""
    stem, dot, extension = name.rpartition(".")
    if not stem or not dot or len(extension.encode()) >= _EXTENSION_BYTES:
        return name, ""
    return stem, dot + extension


def _visible(raw: str) -> str:
    if raw.isascii() and raw.isprintable():
        return raw
    kept = []
    for character in unicodedata.normalize("NFC", readable(raw)):
        category = unicodedata.category(character)
        if category in {"Zs", "Zl", "Zp"} or character in "\t\n\r":
            kept.append(" ")
        elif category not in _DROPPED_CATEGORIES:
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def _guarded(name: str) -> str:
    """Put ``_`` before a reserved name and instead of leading dots."""
    if name.startswith("."):
        return "_" + name.lstrip(".")
    return "_" + name if _RESERVED.match(name) else name


def _cut(name: str, limit: int) -> str:
    if len(name.encode()) <= limit:
        return name
    stem, extension = split_extension(name)
    return _cut_stem(stem, limit - len(extension.encode())) + extension


def _cut_stem(stem: str, limit: int) -> str:
    """Cut at a character, and never leave an accent without its letter or a blank or dot at the end."""
    if len(stem.encode()) <= limit:
        return stem
    cut = stem.encode()[:limit].decode(errors="ignore")
    while cut and unicodedata.combining(stem[len(cut)]):
        cut = cut[:-1]
    return cut.rstrip(". ")
