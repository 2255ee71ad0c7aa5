"""Writes the INI file that a client is handed, with a comment to each key; never reads one as the uploader does.

A file that is there already keeps what was added to it by hand: comments, blank lines, sections and keys of others, the
values of ``[uploader]`` and ``[locked]``, and ``passive``, which depends on the client's own network. All other values
of ``[ftp]`` and ``[dossier]`` come from the firm each time.
"""

import configparser
import textwrap
from pathlib import Path

from configupdater import ConfigUpdater, Section

from ini_tools.replacing import replaced
from transfer import client_ini
from transfer.client_ini import KEYS, ClientIni, quoted
from transfer.failures import PermanentFailure
from transfer.language import Language

ANY_CLIENT = "envoi.ini"
"""The file name that the uploader looks for first."""

_LEFT_TO_THE_CLIENT = {
    ("ftp", "passive"),
    *((section, key) for section in ("uploader", "locked") for key in KEYS[section]),
}
_COMMENT = ";"
_COLUMNS = 100


def write_ini(ini: ClientIni, folder: Path, name: str | None = None, fiduciary_name: str = "") -> Path:
    """Write an INI file into ``folder`` (made if missing), over the one that is there, and return its path.

    Its name is the dossier's (``000204.ini``) unless another is given.

    It is replaced in one step, so that nobody sees half of it, and readable by its owner only: it holds a password.
    Refused with an ``ini.`` code when a value cannot be written or the present file cannot be read, with
    ``generator.other_dossier`` when that file is another dossier's, and with ``generator.not_written`` when the folder
    does not take it.
    """
    name = name or f"{ini.dossier}.ini"
    path = folder / name
    present = client_ini.content(path) if path.exists() else b""
    written = ini_text(ini, fiduciary_name, present, name).encode()
    with replaced(path) as file:
        file.write(written)
    return path


def ini_text(ini: ClientIni, fiduciary_name: str = "", present: bytes = b"", name: str = ANY_CLIENT) -> str:
    """Return an INI's text with CRLF line ends, made anew or, with the bytes of a ``present`` one, brought up to date.

    What is returned reads back as ``ini``, but for what the present file keeps; a text that would not is refused.
    """
    language = Language(ini.language, "ini_tools")
    before = client_ini.sections(present, name)
    other = before.get("dossier", {}).get("number")
    if other and other.value and other.value != ini.dossier:
        raise PermanentFailure("generator.other_dossier", file=name, other=other.value[:16], dossier=ini.dossier)
    document = _document(present, name)
    values = _values(ini)
    for section, keys in values.items():
        found = _section(document, section)
        for key, value in keys.items():
            if (section, key) in _LEFT_TO_THE_CLIENT and key in before.get(section, {}):
                keys[key] = before[section][key].value
            else:
                _set(found, key, quoted(value), language.say(f"ini.comment.{section}.{key}"))
    told = language.say("ini.comment.head", fiduciary=fiduciary_name or ini.fiduciary, dossier=ini.dossier)
    head = [] if present else _comment(told)
    written = "".join(f"{_COMMENT} {line}".rstrip() + "\n" for line in head) + str(document)
    written = written.replace("\n", "\r\n")
    _check(written, values, name)
    return written


def _document(present: bytes, name: str) -> ConfigUpdater:
    document = ConfigUpdater(delimiters=("=",), comment_prefixes=(";", "#"), empty_lines_in_values=False)
    try:
        document.read_string(client_ini.text(present, name))
    except configparser.Error as error:  # a line that it reads otherwise than we do; its text would show that line
        raise PermanentFailure("ini.not_readable", file=name, line=getattr(error, "lineno", 1)) from None
    return document


def _values(ini: ClientIni) -> dict[str, dict[str, str]]:
    connection = ini.connection
    told = {
        "ftp": (
            connection.host,
            str(connection.port),
            connection.user,
            connection.password,
            ini.remote_folder,
            connection.security.value,
            connection.fingerprint or "",
            _switch(connection.passive),
        ),
        "dossier": (ini.dossier, ini.dossier_name, ini.fiduciary),
        "uploader": (
            ini.language,
            ini.after_upload.value,
            str(ini.keep_days),
            " ".join(ini.extensions),
            ini.local_folder,
            _switch(ini.watch),
        ),
        "locked": (" ".join(sorted(ini.locked)),),
    }
    return {section: dict(zip(keys, told[section], strict=True)) for section, keys in KEYS.items()}


def _switch(on: bool) -> str:
    return "yes" if on else "no"


def _section(document: ConfigUpdater, name: str) -> Section:
    for section in document.iter_sections():
        if section.name.strip().lower() == name:
            return section
    first = not document.sections()
    document.add_section(name)
    added: Section = document[name]
    if not first:
        added.add_before.space(1)
    return added


def _set(section: Section, key: str, value: str, comment: str) -> None:
    """Change a key's value, or add the key with its comment behind the last one of its section."""
    if section.has_option(key):
        section[key].value = value
        return
    options = section.option_blocks()
    if not options:
        section.set(key, value)
        for line in _comment(comment):
            section[key].add_before.comment(line, comment_prefix=_COMMENT)
        return
    place = options[-1].add_after.space(1)
    for line in _comment(comment):
        place = place.comment(line, comment_prefix=_COMMENT)
    place.option(key, value)


def _comment(text: str) -> list[str]:
    """Break a comment into lines that can be read without scrolling."""
    return [part for line in text.split("\n") for part in textwrap.wrap(line, _COLUMNS) or [""]]


def _check(written: str, values: dict[str, dict[str, str]], name: str) -> None:
    """Read back what is about to be written, as the uploader will."""
    found = client_ini.sections(written.encode(), name)
    for section, keys in values.items():
        for key, value in keys.items():
            entry = found.get(section, {}).get(key)
            if entry is None or entry.value != value:
                raise PermanentFailure("generator.not_readable", file=name, section=section, key=key)
    client_ini.interpret(found, name)
