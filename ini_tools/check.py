"""Tells all that is wrong with an INI file, line by line; never shows a value, which could be the password."""

import difflib
import enum
from dataclasses import dataclass
from pathlib import Path

from transfer import client_ini
from transfer.client_ini import KEYS, Entry, Security
from transfer.failures import PermanentFailure
from transfer.language import Language


class Severity(enum.StrEnum):
    """FAULT: the uploader refuses the file. WARNING: it works, but perhaps not as meant."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its sentence's code and values, and how much it matters."""

    failure: PermanentFailure
    severity: Severity

    @property
    def code(self) -> str:
        """The stable code."""
        return self.failure.code

    @property
    def line(self) -> int | None:
        """The line, counted from 1; None for what is missing."""
        line = self.failure.values.get("line")
        return line if isinstance(line, int) else None

    @property
    def key(self) -> str | None:
        """The key of ours that it is about, or None."""
        key = self.failure.values.get("key")
        return None if key is None else str(key)

    def sentence(self, language: Language) -> str:
        """Return the finding as a person reads it, with its line and its code."""
        return language.failure(self.failure)


def check_file(path: Path) -> list[Finding]:
    """Return what is wrong with an INI file, in the order of its lines; a file that cannot be read is one fault."""
    try:
        raw = client_ini.content(path)
    except PermanentFailure as failure:
        return [Finding(failure, Severity.FAULT)]
    return check(raw, path.name)


def check(raw: bytes, file: str) -> list[Finding]:
    """Return what is wrong with an INI's bytes, in the order of their lines; an empty list for a sound one."""
    faults = client_ini.faults(raw, file)
    found = [Finding(failure, Severity.FAULT) for failure in faults]
    if not any(failure.code == "ini.not_an_ini" for failure in faults):
        found += [Finding(failure, Severity.WARNING) for failure in _warnings(raw, file)]
    return sorted(found, key=lambda finding: (finding.line is None, finding.line or 0))


def _warnings(raw: bytes, file: str) -> list[PermanentFailure]:
    sections = client_ini.parted(raw, file)
    told = []
    for section, keys in sections.items():
        for key, entry in keys.items():
            told += _unknown(file, section, key, entry)
    security = sections.get("ftp", {}).get("security")
    if security and security.value.lower() == Security.NONE:
        told.append(PermanentFailure("check.not_encrypted", file=file, line=security.line, key="security"))
    return told


def _unknown(file: str, section: str, key: str, entry: Entry) -> list[PermanentFailure]:
    """Tell that a key has no effect. It is not shown: half a password on a line of its own could look like a key."""
    if section not in KEYS:
        return [PermanentFailure("check.unknown_section", file=file, line=entry.line)]
    if key in KEYS[section]:
        return []
    near = difflib.get_close_matches(key, KEYS[section], 1)
    if near:
        return [PermanentFailure("check.misspelt_key", file=file, line=entry.line, key=near[0])]
    return [PermanentFailure("check.unknown_key", file=file, line=entry.line)]
