"""Reads the header lines of a message or part, however they were written; never looks at a body.

A line that is no header line is skipped where more header lines follow, names are found with or without quotes, folded,
encoded in any of the ways that programs use, and 8-bit text is taken for UTF-8, else for what Windows would show.
"""

import re
import urllib.parse
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header

_LONGEST = 256 * 1024
_FIELD = re.compile(rb"([!-9;-~]{1,100}?)[ \t]*:")
_ENCODED_GAP = re.compile(r"(=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)\s+(?==\?[^?\s]+\?[bBqQ]\?)")
_ENCODED = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=")
_KEY = re.compile(r"([^\s=;\"]+)\s*=")
_KNOWN = re.compile(rb"(?i)(content-[a-z-]+|mime-version|from|to|subject|date|message-id|received)[ \t]*:")
_QUOTED = re.compile(r'\s*"((?:\\["\\]|[^"])*)"?')
_CHARSETS = {"unknown-8bit", "x-unknown", "default", ""}


class Header:
    """The fields of one header; names in any case. ``size`` is how many bytes it took, the empty line included."""

    def __init__(self, raw: bytes, start: int = 0, end: int | None = None) -> None:
        end = len(raw) if end is None else end
        lines, self.size = _block(raw, start, end)
        self._fields: dict[str, list[bytes]] = {}
        for name, value in lines:
            self._fields.setdefault(name.decode("ascii").lower(), []).append(value)

    def count(self, name: str) -> int:
        """Return how often a field is there."""
        return len(self._fields.get(name, []))

    def raw(self, name: str) -> str:
        """Return a field as it stands, unfolded, its bytes as letters; the first if there are several."""
        values = self._fields.get(name)
        return letters(values[0]) if values else ""

    def every(self, name: str) -> list[str]:
        """Return all fields of that name as they stand, unfolded."""
        return [letters(value) for value in self._fields.get(name, [])]

    def text(self, name: str) -> str:
        """Return a field as a person reads it."""
        return " ".join(readable(self.raw(name)).split())

    @property
    def kind(self) -> str:
        """The content type in lower case, ``text/plain`` where there is none that can be read."""
        found = re.match(r"\s*([\w.+-]+/[\w.+-]+)", self.raw("content-type"))
        return found[1].lower() if found else "text/plain"

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or nothing."""
        return re.split(r"[;\s]", self.raw("content-disposition").strip(), maxsplit=1)[0].lower()

    @property
    def encoding(self) -> str:
        """The transfer encoding in lower case."""
        found = re.search(r"[\w-]+", self.raw("content-transfer-encoding"))
        return found[0].lower() if found else ""

    @property
    def file_name(self) -> str:
        """The name that was given to a file, without folders; empty where there is none."""
        name = parameter(self.raw("content-disposition"), "filename") or parameter(self.raw("content-type"), "name")
        return re.split(r"[\\/]", name.strip())[-1].strip()


def letters(raw: bytes) -> str:
    """Return bytes of unknown encoding as text: UTF-8 if they are, else what Windows would show."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace").replace("\ufffd", "?")


def in_charset(raw: bytes, charset: str | None) -> str:
    """Return bytes as text in the named charset, or as :func:`letters` when it is unknown or wrong."""
    if charset is None or charset.lower() in _CHARSETS:
        return letters(raw)
    try:
        return raw.decode(charset)
    except (LookupError, UnicodeError, ValueError):
        return letters(raw)


def readable(raw: str) -> str:
    """Decode the encoded words of RFC 2047 in a text; what cannot be decoded stays as it is."""
    if "=?" not in raw:
        return raw
    raw = _ENCODED_GAP.sub(r"\1", raw)
    raw = _ENCODED_GAP.sub(r"\1", raw)
    done, last = [], 0
    group: list[tuple[bytes, str]] = []
    for found in _ENCODED.finditer(raw):
        if found.start() != last or not group:
            done.append(_joined(group))
            group = []
            done.append(raw[last : found.start()])
        last = found.end()
        try:
            ((content, charset),) = decode_header(found[0])
        except (HeaderParseError, ValueError):
            content, charset = found[0], None
        if charset is None or isinstance(content, str):
            done += [_joined(group), found[0]]
            group = []
        else:
            group.append((content, charset.partition("*")[0]))
    return "".join([*done, _joined(group), raw[last:]])


def parameter(raw: str, name: str, encoded: bool = True) -> str:
    """Return a parameter of a structured field, empty where there is none; as a person reads it if it is encoded."""
    whole, pieces = "", {}
    for key, value, quoted in _parameters(raw):
        if key == name and not whole:
            whole = readable(value) if encoded else value
        elif key == f"{name}*":
            pieces[-1] = (value, True)
        elif found := re.fullmatch(re.escape(name) + r"\*(\d{1,3})(\*?)", key):
            pieces.setdefault(int(found[1]), (value, bool(found[2]) and not quoted))
    if not pieces:
        return whole
    if -1 in pieces:
        return _extended([pieces[-1]])
    return _extended([pieces[number] for number in sorted(pieces)])


def _joined(group: list[tuple[bytes, str]]) -> str:
    """Decode neighbouring words of one charset together: some programs cut them inside a letter."""
    done, at = [], 0
    while at < len(group):
        charset = group[at][1]
        same = at
        while same < len(group) and group[same][1] == charset:
            same += 1
        done.append(in_charset(b"".join(content for content, _ in group[at:same]), charset))
        at = same
    return "".join(done)


def _extended(pieces: list[tuple[str, bool]]) -> str:
    """Join the pieces of an RFC 2231 value; those that are marked are percent-encoded, the first names the charset."""
    charset, content = None, b""
    for place, (value, encoded) in enumerate(pieces):
        rest = value
        if encoded and place == 0 and value.count("'") >= 2:
            charset, _, rest = value.split("'", 2)
        piece = rest.encode("utf-8", "surrogateescape")
        content += urllib.parse.unquote_to_bytes(piece) if encoded else piece
    return readable(in_charset(content, charset))


def _parameters(raw: str) -> Iterator[tuple[str, str, bool]]:
    """Yield key, value and whether it stood in quotes; a value without quotes reaches to the next semicolon."""
    at = raw.find(";")
    while 0 <= at < len(raw):
        while at < len(raw) and raw[at] in "; \t\r\n":
            at += 1
        found = _KEY.match(raw, at)
        if not found:
            at = raw.find(";", at + 1)
            continue
        key = found[1].lower()
        quoted = _QUOTED.match(raw, found.end())
        if quoted:
            yield key, re.sub(r'\\(["\\])', r"\1", quoted[1]), True
            at = raw.find(";", quoted.end())
        else:
            end = raw.find(";", found.end())
            end = len(raw) if end < 0 else end
            yield key, raw[found.end() : end].strip(), False
            at = end


def _block(raw: bytes, start: int, end: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """Return the fields of a header block, and its length with the empty line behind it."""
    limit = min(end, start + _LONGEST)
    fields: list[tuple[bytes, list[bytes]]] = []
    at, known = start, start
    while at < limit:
        stop = _next_line(raw, at, limit)
        line = raw[at:stop].rstrip(b"\r\n")
        if not line.strip():
            at = stop
            break
        found = _FIELD.match(line)
        if line[:1] in b" \t":
            if fields:
                fields[-1][1].append(line)
        elif found:
            fields.append((found[1], [line[found.end() :]]))
        elif known <= at:
            known = _further_field(raw, stop, limit)
            if known < 0:  # the empty line is missing, and the body begins here
                break
        at = stop
    return [(name, b"".join(lines)) for name, lines in fields], min(at, end) - start


def _further_field(raw: bytes, at: int, limit: int) -> int:
    """Return where a well-known field follows before the empty line, behind a line that is none; -1 if nowhere."""
    while at < limit:
        stop = _next_line(raw, at, limit)
        if not raw[at:stop].strip():
            return -1
        if _KNOWN.match(raw, at, stop):
            return at
        at = stop
    return -1


def _next_line(raw: bytes, at: int, limit: int) -> int:
    found = raw.find(b"\n", at, limit)
    return limit if found < 0 else found + 1
