"""Reads the INI file a client was handed, and says exactly what is wrong with one; never shows a line of it."""

import codecs
import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from transfer.accounts import AccountKind, dossier_number, fiduciary_number
from transfer.failures import Failure, PermanentFailure
from transfer.language import LANGUAGES

_LARGEST = 65_536
_COMMENTS = (";", "#")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


class Security(enum.StrEnum):
    """How the FTP connection is protected: ``tls`` is explicit FTPS, ``none`` is plain FTP."""

    TLS = "tls"
    NONE = "none"


class AfterUpload(enum.StrEnum):
    """What becomes of a local file once its receipt is there."""

    DELETE = "delete"
    RECYCLE = "recycle"
    KEEP = "keep"


@dataclass(frozen=True)
class Connection:
    """Where and as whom to connect; ``fingerprint`` is the certificate's SHA-256 in hex, None to trust the system's."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: Security = Security.TLS
    fingerprint: str | None = None
    passive: bool = True


@dataclass(frozen=True)
class ClientIni:
    """All that an INI says: the connection, the server folder, the dossier, and how the uploader behaves."""

    connection: Connection
    remote_folder: str
    dossier: str
    dossier_name: str
    fiduciary: str
    language: str = "fr"
    after_upload: AfterUpload = AfterUpload.DELETE
    keep_days: int = 30
    extensions: tuple[str, ...] = ()
    local_folder: str = ""
    watch: bool = False
    locked: frozenset[str] = frozenset()


KEYS: Mapping[str, tuple[str, ...]] = {
    "ftp": ("host", "port", "user", "password", "folder", "security", "fingerprint", "passive"),
    "dossier": ("number", "name", "fiduciary"),
    "uploader": ("language", "after_upload", "keep_days", "extensions", "folder", "watch"),
    "locked": ("keys",),
}
"""Every section and key an INI may hold, in the order they are written."""


@dataclass(frozen=True)
class Entry:
    """One value and the line it stands on, counted from 1."""

    value: str
    line: int


Sections = dict[str, dict[str, Entry]]


def read(path: Path) -> ClientIni:
    """Read an INI file; refuse it with an ``ini.`` code, the file's name and, where there is one, the line and key."""
    return interpret(sections(content(path), path.name), path.name)


def content(path: Path) -> bytes:
    """Return an INI file's bytes (of a file too large to be one, only the start, which is refused when it is read)."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise PermanentFailure("ini.missing_file", file=path.name) from None
    except OSError:
        raise PermanentFailure("ini.unreadable_file", file=path.name) from None


def text(raw: bytes, file: str) -> str:
    """Return an INI's text with plain line ends, or refuse bytes that are none with ``ini.not_an_ini``."""
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            decoded = raw.decode("utf-16")
        else:
            decoded = _utf8_or_ansi(raw)
    except UnicodeDecodeError:
        raise PermanentFailure("ini.not_an_ini", file=file) from None
    if len(raw) > _LARGEST or "\0" in decoded:
        raise PermanentFailure("ini.not_an_ini", file=file)
    return decoded.replace("\r\n", "\n").replace("\r", "\n")


def sections(raw: bytes, file: str) -> Sections:
    """Split an INI's bytes into sections of keys in lower case, each value with its line.

    UTF-8 with or without byte order mark, UTF-16 and CP1252 are read, with any line ends. A value is all that follows
    the first ``=``, without surrounding blanks; a pair of double quotes around it is taken off and keeps its blanks.
    """
    found, faults = _split(raw, file)
    if faults:
        raise faults[0]
    return found


def interpret(found: Sections, file: str) -> ClientIni:
    """Check what the keys say and return it; unknown sections and keys are left alone."""
    ini, faults = _interpreted(found, file)
    if faults:
        raise faults[0]
    return ini


def parted(raw: bytes, file: str) -> Sections:
    """Return what can be made out of these bytes, whatever is wrong with single lines; refuses what is no INI."""
    return _split(raw, file)[0]


def faults(raw: bytes, file: str) -> list[PermanentFailure]:
    """Return everything for which :func:`read` would refuse these bytes, in the order of their lines."""
    try:
        found, unreadable = _split(raw, file)
    except PermanentFailure as failure:
        return [failure]
    wrong = unreadable + _interpreted(found, file)[1]
    return sorted(wrong, key=lambda failure: int(failure.values.get("line") or _LARGEST))


def quoted(value: str) -> str:
    """Return a value as it must stand in an INI: quoted where blanks or quotes would be lost when read back.

    Control characters are refused with ``ini.control_character``: a line end would inject a section.
    """
    if any(ord(c) < 32 or c in "\x7f\x85\u2028\u2029" or "\ud800" <= c <= "\udfff" for c in value):
        raise PermanentFailure("ini.control_character")
    return f'"{value}"' if value != value.strip() or value.startswith('"') else value


def unquoted(value: str) -> str:
    """Take one pair of surrounding double quotes off a value."""
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def _split(raw: bytes, file: str) -> tuple[Sections, list[PermanentFailure]]:
    found: Sections = {}
    wrong: list[PermanentFailure] = []
    current: dict[str, Entry] | None = None

    def fault(line: int, code: str, **values: str) -> None:
        wrong.append(PermanentFailure(code, file=file, line=line, **values))

    for line, written in enumerate(text(raw, file).split("\n"), start=1):
        stripped = written.strip()
        if not stripped or stripped.startswith(_COMMENTS):
            continue
        if written[0].isspace():  # other readers take any blank there for the value above going on
            fault(line, "ini.indented")
        if stripped.startswith("[") and stripped.endswith("]"):
            name = stripped[1:-1].strip().lower()
            if not name:
                fault(line, "ini.not_readable")
            elif name in found:
                fault(line, "ini.duplicate_section", section=name[:40])
            current = found.setdefault(name, {})
            continue
        key, equals, value = (part.strip() for part in stripped.partition("="))
        key = key.lower()
        if not equals or not key:
            fault(line, "ini.not_readable")
        elif current is None:
            fault(line, "ini.no_section")
        elif key in current:
            fault(line, "ini.duplicate_key", key=key[:40])
        else:
            current[key] = Entry(unquoted(value), line)
    return found, wrong


def _interpreted(found: Sections, file: str) -> tuple[ClientIni, list[PermanentFailure]]:
    """Return what the keys say, and all that is wrong with them; when anything is, the first is not to be used."""
    take = _Taker(found, file)
    ini = ClientIni(
        connection=Connection(
            host=take.required("ftp", "host", _host),
            port=take.optional("ftp", "port", 21, _port),
            user=take.required("ftp", "user", _depositing_user),
            password=take.required("ftp", "password", str),
            security=take.optional("ftp", "security", Security.TLS, lambda v: Security(v.lower())),
            fingerprint=take.optional("ftp", "fingerprint", None, _fingerprint),
            passive=take.optional("ftp", "passive", True, _switch),
        ),
        remote_folder=take.optional("ftp", "folder", "/", str),
        dossier=take.required("dossier", "number", dossier_number),
        dossier_name=take.optional("dossier", "name", "", str),
        fiduciary=take.required("dossier", "fiduciary", fiduciary_number),
        language=take.optional("uploader", "language", "fr", _language),
        after_upload=take.optional("uploader", "after_upload", AfterUpload.DELETE, lambda v: AfterUpload(v.lower())),
        keep_days=take.optional("uploader", "keep_days", 30, lambda v: _number(v, 0, 3650)),
        extensions=take.optional("uploader", "extensions", (), _extensions),
        local_folder=take.optional("uploader", "folder", "", str),
        watch=take.optional("uploader", "watch", False, _switch),
        locked=take.optional("locked", "keys", frozenset(), lambda v: frozenset(_words(v))),
    )
    return ini, take.faults


class _Taker:
    """Takes values out of the sections, and notes what does not fit with its line; never with the value itself."""

    def __init__(self, found: Sections, file: str) -> None:
        self._found = found
        self._file = file
        self.faults: list[PermanentFailure] = []

    def required(self, section: str, key: str, check: Callable[[str], _T]) -> _T:
        entry = self._found.get(section, {}).get(key)
        if entry is None or not entry.value:
            self._fault("ini.missing_key", entry, section=section, key=key)
            return cast(_T, None)
        return self._checked(entry, key, check)

    def optional(self, section: str, key: str, default: _T, check: Callable[[str], _T]) -> _T:
        entry = self._found.get(section, {}).get(key)
        return default if entry is None or not entry.value else self._checked(entry, key, check)

    def _checked(self, entry: Entry, key: str, check: Callable[[str], _T]) -> _T:
        try:
            return check(entry.value)
        except Failure as failure:
            self._fault(failure.code if failure.code.startswith("ini.") else "ini.bad_value", entry, key=key)
        except ValueError:
            self._fault("ini.bad_value", entry, key=key)
        return cast(_T, None)  # seen by nobody: an INI with faults is not used

    def _fault(self, code: str, entry: Entry | None, **values: str) -> None:
        line = entry.line if entry else None
        self.faults.append(PermanentFailure(code, file=self._file, line=line, **values))


def _utf8_or_ansi(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252")


def _depositing_user(text: str) -> str:
    """Take any login, for any FTP server, but never a READ account: that one must not be in a client's hands."""
    if text.upper().startswith(f"{AccountKind.READ}_"):
        raise PermanentFailure("ini.read_account")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", text):
        raise ValueError(text)
    return text


def _port(text: str) -> int:
    return _number(text, 1, 65_535)


def _number(text: str, lowest: int, highest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise ValueError(text)
    return int(text)


def _fingerprint(text: str) -> str:
    compact = text.replace(":", "").replace(" ", "").lower()
    if not _FINGERPRINT.fullmatch(compact):
        raise ValueError(text)
    return compact


def _switch(text: str) -> bool:
    words = {"yes": True, "true": True, "1": True, "oui": True, "ja": True, "on": True}
    words |= {"no": False, "false": False, "0": False, "non": False, "nee": False, "off": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _language(text: str) -> str:
    if text.lower() not in LANGUAGES:
        raise ValueError(text)
    return text.lower()


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text.lower()) if word]


def _extensions(text: str) -> tuple[str, ...]:
    return tuple("." + word.lstrip("*.") for word in _words(text))
