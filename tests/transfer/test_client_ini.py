"""Reading the INI that a client was handed, and saying what is wrong with one."""

import contextlib
import random
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer import client_ini
from transfer.client_ini import (
    AfterUpload,
    ClientIni,
    Connection,
    Security,
    interpret,
    quoted,
    read,
    sections,
    unquoted,
)
from transfer.failures import PermanentFailure

PASSWORD = "Geheim-4711=x"
INI = f"""; Réglages
[ftp]
host = ftp.example.be
port = 2121
user = WRITE_570013_000204
password = {PASSWORD}

[dossier]
number = 000204
name = Boulangerie Dupont
fiduciary = 570013
"""


def parsed(text: str) -> ClientIni:
    return interpret(sections(text.encode(), "envoi.ini"), "envoi.ini")


def refusal(action: Callable[[], object]) -> PermanentFailure:
    """Return the failure of an action, after making sure that the password is nowhere in it."""
    with pytest.raises(PermanentFailure) as caught:
        action()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
    assert "Geheim" not in shown
    assert caught.value.values.get("file", "envoi.ini") == "envoi.ini"
    return caught.value


def with_line(key: str, line: str, text: str = INI) -> str:
    """Return the INI with the line of a key replaced (or, for an empty one, taken away)."""
    lines = [line if written.startswith(f"{key} =") else written for written in text.splitlines()]
    return "\n".join(written for written in lines if written is not line or line)


def test_what_is_not_said_has_its_usual_value() -> None:
    """A short INI gives a connection with TLS and passive mode, and an uploader in French that deletes."""
    connection = Connection("ftp.example.be", 2121, "WRITE_570013_000204", PASSWORD, Security.TLS, None, passive=True)
    assert parsed(INI) == ClientIni(connection, "/", "000204", "Boulangerie Dupont", "570013")


def test_all_that_an_ini_can_say_is_read() -> None:
    """Every key is read, in any case, with the words of the three languages for yes and no."""
    text = (
        INI.replace(
            "[dossier]", "SECURITY = None\nFingerprint = " + ":".join(["AB"] * 32) + "\npassive = Nee\n[Dossier]"
        )
        + "[uploader]\nlanguage = NL\nafter_upload = Keep\nkeep_days = 0\nextensions = pdf; *.JPG, .png\n"
        + "folder = C:\\Scans\\à envoyer\nwatch = oui\n[locked]\nkeys = folder, Watch\n[other]\nx = 1\n"
    )
    ini = parsed(text)
    assert (ini.connection.security, ini.connection.fingerprint, ini.connection.passive) == (
        Security.NONE,
        "ab" * 32,
        False,
    )
    assert (ini.language, ini.after_upload, ini.keep_days) == ("nl", AfterUpload.KEEP, 0)
    assert ini.extensions == (".pdf", ".jpg", ".png")
    assert (ini.local_folder, ini.watch, ini.locked) == ("C:\\Scans\\à envoyer", True, {"folder", "watch"})


@pytest.mark.parametrize(
    "encoded",
    [
        INI.encode(),
        INI.encode("utf-8-sig"),
        INI.encode("utf-16"),
        b"\xfe\xff" + INI.encode("utf-16-be"),
        INI.encode("cp1252"),
        INI.replace("\n", "\r\n").encode(),
        INI.replace("\n", "\r").encode(),
        INI.replace("\n", "\r\n").encode("utf-16"),
        INI.rstrip().encode(),
        INI.replace(" = ", "  =\t").encode(),
        INI.replace("[ftp]", "  \n\n[ FTP ] \n# x\n  ; y").encode(),
    ],
)
def test_any_editor_may_have_saved_it(encoded: bytes) -> None:
    """Byte order marks, UTF-16, Windows encoding and any line ends give the same values."""
    assert interpret(sections(encoded, "envoi.ini"), "envoi.ini") == parsed(INI)


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    """An INI on disk is read; one that is missing, a folder or too large is told by its name."""
    path = tmp_path / "envoi.ini"
    assert refusal(lambda: read(path)).code == "ini.missing_file"
    path.write_text(INI, encoding="utf-8")
    assert read(path) == parsed(INI)
    path.write_text(INI + "; " + "x" * 70_000, encoding="utf-8")
    assert refusal(lambda: read(path)).code == "ini.not_an_ini"
    path.unlink()
    path.mkdir()
    assert refusal(lambda: read(path)).code == "ini.unreadable_file"


@pytest.mark.parametrize(
    ("text", "code", "line", "key"),
    [
        (INI.replace("port = 2121", "Host = evil"), "ini.duplicate_key", 4, "host"),
        (INI.replace("port", "  port"), "ini.indented", 4, None),
        (INI.replace("user", "\tuser"), "ini.indented", 5, None),
        (INI.replace("user", "\u00a0user"), "ini.indented", 5, None),
        (INI.replace("[dossier]", "[FTP]"), "ini.duplicate_section", 8, None),
        (INI.replace("port = 2121", "port: 2121"), "ini.not_readable", 4, None),
        (INI.replace("port = 2121", "= 2121"), "ini.not_readable", 4, None),
        (INI.replace("port = 2121", "[ ]"), "ini.not_readable", 4, None),
        (INI.replace("[ftp]", ""), "ini.no_section", 3, None),
        (with_line("password", ""), "ini.missing_key", None, "password"),
        (with_line("password", "password ="), "ini.missing_key", 6, "password"),
        (with_line("password", 'password = ""'), "ini.missing_key", 6, "password"),
        (with_line("number", ""), "ini.missing_key", None, "number"),
        (with_line("port", "port = 0"), "ini.bad_value", 4, "port"),
        (with_line("port", "port = 65536"), "ini.bad_value", 4, "port"),
        (with_line("port", "port = ２１"), "ini.bad_value", 4, "port"),
        (with_line("port", "port = 21 ; the usual"), "ini.bad_value", 4, "port"),
        (with_line("host", "host = ftp.example.be/x"), "ini.bad_value", 3, "host"),
        (with_line("user", "user = READ_570013"), "ini.read_account", 5, "user"),
        (with_line("user", "user = read_anything"), "ini.read_account", 5, "user"),
        (with_line("number", "number = ../1"), "ini.bad_value", 9, "number"),
        (with_line("fiduciary", "fiduciary = 57001"), "ini.bad_value", 11, "fiduciary"),
        (INI + "[uploader]\nlanguage = de\n", "ini.bad_value", 13, "language"),
        (INI + "[uploader]\nafter_upload = burn\n", "ini.bad_value", 13, "after_upload"),
        (INI + "[uploader]\nkeep_days = -1\n", "ini.bad_value", 13, "keep_days"),
        (INI + "[uploader]\nwatch = maybe\n", "ini.bad_value", 13, "watch"),
        (INI.replace("[dossier]", "fingerprint = abc\n[dossier]"), "ini.bad_value", 8, "fingerprint"),
        (INI.replace("[dossier]", "security = ssl\n[dossier]"), "ini.bad_value", 8, "security"),
    ],
)
def test_a_fault_is_told_with_its_line_and_key(text: str, code: str, line: int | None, key: str | None) -> None:
    """Each kind of fault has its code, the line it stands on and the key it is about, and never shows the password."""
    failure = refusal(lambda: parsed(text))
    assert (failure.code, failure.values.get("line"), failure.values.get("key")) == (code, line, key)
    found = [(fault.code, fault.values) for fault in client_ini.faults(text.encode(), "envoi.ini")]
    assert (failure.code, failure.values) in found


@pytest.mark.parametrize(
    "raw", [b"PK\x03\x04\0\0", INI.encode("utf-16-le"), b"\xff\xfeabc", b"[ftp]\nhost = \x81\xfe", bytes(range(256))]
)
def test_what_is_no_ini_is_refused_whole(raw: bytes) -> None:
    """A ZIP, a picture or UTF-16 without its mark is no settings file."""
    assert refusal(lambda: sections(raw, "envoi.ini")).code == "ini.not_an_ini"
    assert [failure.code for failure in client_ini.faults(raw, "envoi.ini")] == ["ini.not_an_ini"]


def test_all_faults_are_told_at_once() -> None:
    """A file with several faults is told all of them, in the order of its lines."""
    text = (
        INI.replace("port = 2121", " port = x\nhost = y").replace("number = 000204\n", "").replace("fiduciary", "what")
    )
    codes = [(failure.values.get("line"), failure.code) for failure in client_ini.faults(text.encode(), "envoi.ini")]
    assert codes == [
        (4, "ini.indented"),
        (4, "ini.bad_value"),
        (5, "ini.duplicate_key"),
        (None, "ini.missing_key"),
        (None, "ini.missing_key"),
    ]


def test_a_password_is_in_no_text_of_a_connection() -> None:
    """What is printed or logged of an INI does not hold the password."""
    assert "Geheim" not in repr(parsed(INI)) + str(parsed(INI).connection)


def test_twenty_thousand_passwords_survive() -> None:
    """Whatever a password is made of, it reads back as it was written; what could break a line is refused."""
    signs = (
        " \t'\"%$(){}[];#=:\\/,.|&<>~^`!?*+-_aZ09éßñ€🧾\u00a0\u2003\u202f\ufeff"
        + "\r\n\x00\x0b\x1c\x7f\x85\u2028\ud800"
    )
    chance = random.Random(570013)
    values = ["".join(chance.choices(signs, k=chance.randrange(1, 16))) for _ in range(20_000)]
    unwritable = set("\r\n\t\x00\x0b\x1c\x7f\x85\u2028\ud800")
    for value in values:
        if unwritable & set(value):
            assert refusal(lambda value=value: quoted(value)).code == "ini.control_character"
        else:
            assert parsed(with_line("password", f"password = {quoted(value)}")).connection.password == value
    assert 5_000 < sum(not unwritable & set(value) for value in values) < 15_000


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_quoting_is_undone_by_reading(value: str) -> None:
    """Any printable value, quoted or not, comes back from between the blanks of its line."""
    assert unquoted(quoted(value).strip()) == value


@given(st.binary(max_size=400) | st.text(st.sampled_from('[ftp]host=\n\r \t;#"é\0'), max_size=200).map(str.encode))
def test_no_bytes_make_reading_fail_otherwise(raw: bytes) -> None:
    """Any bytes are refused with a code and never with another error."""
    for action in (client_ini.faults, sections, client_ini.parted, client_ini.text):
        with contextlib.suppress(PermanentFailure):
            action(raw, "envoi.ini")
    assert client_ini.faults(raw, "envoi.ini")
