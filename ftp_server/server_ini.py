"""The host's settings in ``server.ini``: read, checked, changed; never tells whether they suit this machine."""

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping
from configparser import (
    ConfigParser,
    DuplicateOptionError,
    DuplicateSectionError,
    Error,
    MissingSectionHeaderError,
    ParsingError,
)
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from configupdater import ConfigUpdater

from ftp_server.home import make_home
from ftp_server.networks import networks_of
from ftp_server.whole_file import replace_file
from transfer.failures import Failure, PermanentFailure

FILE = "server.ini"
_SECTION = "server"
_YES, _NO = "yes", "no"
_SHOWN = 60  # characters of a wrong value that its refusal shows
_TOGETHER = (
    ("certificate", "key"),
    ("key", "certificate"),
    ("certificate2", "key2"),
    ("key2", "certificate2"),
    ("certificate2", "certificate"),
)
"""A setting, and the one that must be set beside it."""

PROCESSES = min(os.cpu_count() or 1, 4) if sys.platform == "linux" else 1
"""Processes a server runs as when nobody says how many."""


@dataclass(frozen=True)
class HostSettings:
    """How a host runs its server: the keys of ``server.ini``; ``safe`` are networks never banned."""

    host: str = "127.0.0.1"
    port: int = 2121
    implicit_port: int | None = None
    old_printers_port: int | None = None
    passive_ports: range | None = None
    public_address: str | None = None
    processes: int = PROCESSES
    sessions: int = 10_000
    safe: tuple[str, ...] = ()
    log_commands: bool = False
    certificate: Path | None = None
    key: Path | None = None
    certificate2: Path | None = None
    key2: Path | None = None
    trash_days: int = 30
    metrics_port: int | None = None


def read(folder: Path) -> HostSettings:
    """Return the settings kept in a server's folder; without a file they are all as nobody had set them.

    Raises ``server_ini.…`` and ``server.bad_port_range`` with the line of what cannot be used.
    """
    return parsed(_content(folder))


def parsed(content: str) -> HostSettings:
    """Return the settings that the text of a file holds."""
    parser = ConfigParser(interpolation=None, delimiters=("=",))
    try:
        parser.read_string(content)
    except (DuplicateOptionError, DuplicateSectionError) as error:
        raise PermanentFailure("server_ini.twice", place=_place(error.lineno or 0)) from None
    except MissingSectionHeaderError as error:
        raise PermanentFailure("server_ini.no_section", place=_place(error.lineno), section=_SECTION) from None
    except ParsingError as error:
        raise PermanentFailure("server_ini.bad_line", place=_place(error.errors[0][0])) from None
    sections = [*parser.sections(), *(["DEFAULT"] if parser.defaults() else [])]
    if unknown := [section for section in sections if section != _SECTION]:
        raise PermanentFailure("server_ini.unknown_section", place=FILE, section=unknown[0][:_SHOWN])
    written = parser[_SECTION] if parser.has_section(_SECTION) else {}
    places = {key: _place(_line(content, key)) for key in written}
    settings = of_texts(written, places.__getitem__)
    for key, other in _TOGETHER:
        if getattr(settings, key) and not getattr(settings, other):
            raise PermanentFailure("server_ini.goes_with", place=places[key], key=key, other=other)
    return settings


def checked(key: str, text: str, place: str) -> Any:
    """Return what a setting's text means; a refusal names the ``place`` of the text (file and line, or an option)."""
    try:
        return _reader(key)(text.strip())
    except Failure as failure:
        values = {**failure.values, "place": place, "key": key, "text": text[:_SHOWN]}
        raise PermanentFailure(failure.code, **values) from None


def text_of(value: object) -> str:
    """Return a setting as it is written in the file; empty when it is not set."""
    match value:
        case None:
            return ""
        case bool():
            return _YES if value else _NO
        case range():
            return f"{value.start}-{value.stop - 1}"
        case tuple():
            return " ".join(value)
        case _:
            return str(value)


def texts(settings: HostSettings) -> dict[str, str]:
    """Return all settings as they are written in the file."""
    return {key: text_of(getattr(settings, key)) for key in KEYS}


def of_texts(written: Mapping[str, str], place: Callable[[str], str] = lambda _: FILE) -> HostSettings:
    """Return the settings that texts mean; empty ones are as nobody had set them."""
    return HostSettings(**{key: checked(key, text, place(key)) for key, text in written.items() if text})


def change(folder: Path, changes: Mapping[str, str | None]) -> HostSettings:
    """Write settings (None: as nobody had set it) and leave all else in the file as it is; return what holds then.

    Raises the refusals of :func:`read`, and ``server_ini.not_written``; nothing is changed then.
    """
    content = _content(folder)
    for key, text in changes.items():
        refuse_unknown(key)
        if text:
            checked(key, text, FILE)
    updater = ConfigUpdater(delimiters=("=",))
    try:
        updater.read_string(content)
    except Error:
        parsed(content)  # says what is wrong, and where
        raise
    if not updater.has_section(_SECTION):
        updater.add_section(_SECTION)
    for key, text in changes.items():
        if text:
            updater.set(_SECTION, key, text)
        elif updater.has_option(_SECTION, key):
            updater.remove_option(_SECTION, key)
    settings = parsed(str(updater))
    try:
        make_home(folder)
        replace_file(folder / FILE, str(updater).encode())
    except OSError as error:
        raise PermanentFailure("server_ini.not_written", file=str(folder / FILE)) from error
    return settings


def _content(folder: Path) -> str:
    try:
        return (folder / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentFailure("server_ini.not_readable", file=str(folder / FILE)) from error


def _place(line: int) -> str:
    return f"{FILE}:{line}"


def _line(content: str, key: str) -> int:
    written = (line.partition("=")[0].strip().lower() for line in content.splitlines())
    return next((number for number, name in enumerate(written, 1) if name == key), 0)


# --- what each setting may be


def refuse_unknown(key: str) -> None:
    """Refuse the name of a setting that does not exist: ``server_ini.unknown_key``."""
    _reader(key)


def _reader(key: str) -> Callable[[str], Any]:
    found = _READERS.get(key)
    if found is None:
        raise PermanentFailure("server_ini.unknown_key", place=FILE, key=key[:_SHOWN], keys=", ".join(_READERS))
    return found


def _number(text: str, lowest: int, highest: int) -> int:
    if not re.fullmatch(r"\d{1,6}", text) or not lowest <= int(text) <= highest:
        raise PermanentFailure("server_ini.bad_number", lowest=lowest, highest=highest)
    return int(text)


def _ports(text: str) -> range:
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    if not found or not 1024 <= int(found[1]) <= int(found[2]) <= 65_535:
        raise PermanentFailure("server.bad_port_range")
    return range(int(found[1]), int(found[2]) + 1)


def _host(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.:_%-]{1,253}", text):
        raise PermanentFailure("server_ini.bad_host")
    return text


def _address(text: str) -> str:
    """Return an IPv4 address: the reply to PASV has room for no other."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise PermanentFailure("server_ini.bad_address") from None


def _networks(text: str) -> tuple[str, ...]:
    try:
        return networks_of(text.replace(",", " ").split())
    except Failure as failure:
        raise PermanentFailure("server_ini.bad_network", network=failure.values["network"]) from None


def _switch(text: str) -> bool:
    if text.lower() not in {_YES, _NO}:
        raise PermanentFailure("server_ini.bad_yes_no")
    return text.lower() == _YES


def _path(text: str) -> Path:
    if not Path(text).is_absolute() or not text.isprintable():
        raise PermanentFailure("server_ini.bad_path")
    return Path(text)


_port = partial(_number, lowest=1, highest=65_535)
_READERS: dict[str, Callable[[str], Any]] = {
    "host": _host,
    "port": _port,
    "implicit_port": _port,
    "old_printers_port": _port,
    "passive_ports": _ports,
    "public_address": _address,
    "processes": partial(_number, lowest=1, highest=64),
    "sessions": partial(_number, lowest=1, highest=100_000),
    "safe": _networks,
    "log_commands": _switch,
    "certificate": _path,
    "key": _path,
    "certificate2": _path,
    "key2": _path,
    "trash_days": partial(_number, lowest=1, highest=3_650),
    "metrics_port": partial(_number, lowest=1_024, highest=65_535),
}
KEYS = tuple(each.name for each in fields(HostSettings))
"""All settings in the order in which they are shown."""
