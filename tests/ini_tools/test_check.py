"""Saying all that is wrong with an INI, without showing a value of it."""

from pathlib import Path

import pytest

from ini_tools.check import Severity, check, check_file
from ini_tools.generator import ini_text
from transfer.client_ini import ClientIni, Connection
from transfer.language import LANGUAGES, Language

INI = ClientIni(
    Connection("ftp.example.be", 21, "WRITE_570013", "Geheim-4711"), "/000204", "000204", "Dupont", "570013"
)
SOUND = ini_text(INI)

DAMAGED = """\
[ftp]
host = ftp.example.be
port = many
port = 21
user = READ_570013
pasword = Geheim-4711
security = none
 passive = yes

[dossier]
number = 000204
what = x
[other]
x = 1
line
"""


def test_a_sound_file_has_no_findings(tmp_path: Path) -> None:
    """What the generator writes is in order."""
    assert check(SOUND.encode(), "x.ini") == []
    (tmp_path / "x.ini").write_text(SOUND, encoding="utf-8")
    assert check_file(tmp_path / "x.ini") == []


def test_everything_wrong_is_found_with_its_line() -> None:
    """Faults and warnings are told together, in the order of their lines; what is missing comes last."""
    found = [
        (finding.line, finding.severity.value, finding.code, finding.key)
        for finding in check(DAMAGED.encode(), "x.ini")
    ]
    assert found == [
        (3, "fault", "ini.bad_value", "port"),
        (4, "fault", "ini.duplicate_key", "port"),
        (5, "fault", "ini.read_account", "user"),
        (6, "warning", "check.misspelt_key", "password"),
        (7, "warning", "check.not_encrypted", "security"),
        (8, "fault", "ini.indented", None),
        (12, "warning", "check.unknown_key", None),
        (14, "warning", "check.unknown_section", None),
        (15, "fault", "ini.not_readable", None),
        (None, "fault", "ini.missing_key", "password"),
        (None, "fault", "ini.missing_key", "fiduciary"),
    ]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_finding_is_a_sentence_that_hides_the_password(code: str) -> None:
    """Each finding is told in the reader's language with file and line, and no part of the password."""
    language = Language(code, "ini_tools")
    for finding in check(DAMAGED.encode(), "x.ini"):
        sentence = finding.sentence(language)
        assert "x.ini" in sentence
        assert "Geheim" not in sentence
        assert "{" not in sentence
        assert finding.line is None or str(finding.line) in sentence
        assert finding.code not in sentence.removesuffix(f"[{finding.code}]")


def test_half_a_password_on_a_line_of_its_own_is_not_shown() -> None:
    """A line that an editor broke inside the password is told by its number only."""
    broken = SOUND.replace("Geheim-4711", "Geh\r\neim=4711")
    for finding in check(broken.encode(), "x.ini"):
        assert "eim" not in repr(finding) + finding.sentence(Language("en", "ini_tools"))


@pytest.mark.parametrize(("raw", "code"), [(b"\0\1", "ini.not_an_ini"), (b"", "ini.missing_key")])
def test_what_is_no_ini_is_a_fault(raw: bytes, code: str) -> None:
    """A file that is none, or an empty one, is told as such."""
    findings = check(raw, "x.ini")
    assert {finding.code for finding in findings} == {code}
    assert all(finding.severity is Severity.FAULT for finding in findings)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """A file that is not there is one fault with its name."""
    (finding,) = check_file(tmp_path / "x.ini")
    assert (finding.code, finding.failure.values) == ("ini.missing_file", {"file": "x.ini"})
