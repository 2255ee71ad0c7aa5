"""Writing the INI of a client, anew and over one that was changed by hand."""

import os
import stat
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ini_tools.check import check
from ini_tools.generator import ANY_CLIENT, ini_text, write_ini
from transfer import client_ini
from transfer.client_ini import KEYS, AfterUpload, ClientIni, Connection, Security, interpret, sections
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES

CONNECTION = Connection("ftp.example.be", 21, "WRITE_570013_000204", "Geheim-4711", Security.TLS, "ab" * 32)
INI = ClientIni(CONNECTION, "/", "000204", "Boulangerie Dupont", "570013")
FULL = replace(
    INI,
    connection=replace(CONNECTION, port=2121, security=Security.NONE, fingerprint=None, passive=False),
    remote_folder="/000204",
    language="nl",
    after_upload=AfterUpload.KEEP,
    keep_days=7,
    extensions=(".pdf", ".jpg"),
    local_folder="C:\\Scans\\à envoyer ",
    watch=True,
    locked=frozenset({"folder", "watch"}),
)


def reread(text: str) -> ClientIni:
    return interpret(sections(text.encode(), "x.ini"), "x.ini")


@pytest.mark.parametrize("ini", [INI, FULL])
def test_what_is_written_reads_back_equal(ini: ClientIni) -> None:
    """The reader of the uploader finds exactly what the firm said, and nothing to complain of but missing TLS."""
    text = ini_text(ini, "Fiduciaire Exemple")
    assert reread(text) == ini
    assert {finding.code for finding in check(text.encode(), "x.ini")} <= {"check.not_encrypted"}


@settings(max_examples=150, deadline=None)
@given(
    password=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40).filter(str.strip),
    name=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=60),
)
def test_any_printable_value_reads_back(password: str, name: str) -> None:
    """Passwords and names made of any printable signs survive writing, and being written over once more."""
    ini = replace(INI, connection=replace(CONNECTION, password=password), dossier_name=name)
    text = ini_text(ini)
    assert reread(text) == ini
    assert ini_text(ini, present=text.encode()) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_key_is_explained_in_the_clients_language(language: str) -> None:
    """Above each key stands a comment, in UTF-8 without byte order mark and with the line ends of Windows."""
    text = ini_text(replace(INI, language=language), "Fiduciaire Exemple")
    lines = text.split("\r\n")
    for key in (key for keys in KEYS.values() for key in keys):
        places = [n for n, line in enumerate(lines) if line.startswith(f"{key} =")]
        assert places
        assert all(len(lines[place - 1]) > 12 and lines[place - 1].startswith("; ") for place in places)
    assert not text.startswith("\ufeff")
    assert "\n" not in text.replace("\r\n", "")
    assert "ini.comment" not in text
    assert "Fiduciaire Exemple" in lines[0]
    words = {"fr": "Mot de passe de ce compte", "nl": "Wachtwoord van dat account", "en": "Password of that account"}
    assert words[language] in text


@pytest.mark.parametrize("value", ["a\r[ftp]", "a\nb", "a\x00", "a\u2028b", "a\tb"])
@pytest.mark.parametrize("place", ["password", "dossier_name"])
def test_a_value_cannot_inject_a_line(value: str, place: str) -> None:
    """A line end or another control character in a value is refused before anything is written."""
    ini = (
        replace(INI, connection=replace(CONNECTION, password=value))
        if place == "password"
        else replace(INI, dossier_name=value)
    )
    with pytest.raises(PermanentFailure) as caught:
        ini_text(ini)
    assert caught.value.code == "ini.control_character"


def test_a_fiduciarys_name_cannot_inject_a_line() -> None:
    """A name with line ends stays within the comment."""
    assert reread(ini_text(INI, "Exemple\r\n[ftp]\rhost = evil")) == INI


def test_a_read_account_is_never_handed_out() -> None:
    """An INI for a client cannot be made with the account that reads all that clients deposit."""
    with pytest.raises(PermanentFailure) as caught:
        ini_text(replace(INI, connection=replace(CONNECTION, user="READ_570013")))
    assert caught.value.code == "ini.read_account"


BY_HAND = """\
; TECHNICIEN: ne pas toucher, firewall du client
[FTP]
Host = old.example.be
port=21
; le serveur de secours est 10.0.0.7
user = WRITE_570013
password = "old "
backup = 10.0.0.7
passive = no

[dossier]
number = 000204
fiduciary = 570013

[uploader]
after_upload = keep
# à la demande de Mme Dupont
extensions =

[routeur]
modele = BBox 3
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_a_technician_added_is_kept(encoding: str, end: str) -> None:
    """Written over, a file keeps comments, foreign keys and sections, and the client's own choices; the rest is new."""
    text = ini_text(replace(INI, language="nl"), present=BY_HAND.replace("\n", end).encode(encoding)).replace(
        "\r\n", "\n"
    )
    expected = (
        BY_HAND.replace("old.example.be", "ftp.example.be")
        .replace("port=21", "port = 21")
        .replace("user = WRITE_570013", "user = WRITE_570013_000204")
        .replace('"old "', "Geheim-4711")
    )
    new = iter(text.splitlines())
    assert all(line in new for line in expected.splitlines() if line)  # each in its order, with new ones in between
    ini = reread(text)
    assert ini.connection == replace(CONNECTION, passive=False)
    assert (ini.after_upload, ini.extensions, ini.language, ini.dossier_name) == (
        AfterUpload.KEEP,
        (),
        "nl",
        INI.dossier_name,
    )
    assert ini_text(replace(INI, language="nl"), present=text.encode()).replace("\r\n", "\n") == text


def test_a_password_that_changed_is_the_only_change() -> None:
    """Handing out a new password changes one line."""
    before = ini_text(INI).split("\r\n")
    after = ini_text(
        replace(INI, connection=replace(CONNECTION, password="Neu-2")), present="\r\n".join(before).encode()
    )
    assert [line for line in after.split("\r\n") if line not in before] == ["password = Neu-2"]
    assert len(after.split("\r\n")) == len(before)


def test_what_the_firm_no_longer_says_is_emptied() -> None:
    """A certificate that is no longer pinned leaves no old fingerprint behind."""
    text = ini_text(replace(INI, connection=replace(CONNECTION, fingerprint=None)), present=ini_text(INI).encode())
    assert reread(text).connection.fingerprint is None


@pytest.mark.parametrize(
    ("present", "code"),
    [
        ("[ftp]\nhost = a\nHOST = b\n", "ini.duplicate_key"),
        ("[ftp]\n  host = a\n", "ini.indented"),
        ("[ftp]\nsomething\n", "ini.not_readable"),
        ("\0", "ini.not_an_ini"),
        ("[uploader]\nkeep_days = many\n", "ini.bad_value"),
        ("[dossier]\nnumber = 000205\n", "generator.other_dossier"),
        ("; a second [ftp] for ConfigUpdater\n[ftp]\n[ftp]Geheim = 4711\n", "ini.not_readable"),
    ],
)
def test_a_damaged_file_is_not_written_over(present: str, code: str) -> None:
    """A file that cannot be read, or whose kept values are wrong, is refused with its line instead of being lost."""
    with pytest.raises(PermanentFailure) as caught:
        ini_text(INI, present=present.encode())
    assert caught.value.code == code
    assert "Geheim" not in "".join(traceback.format_exception(caught.value))


def test_a_section_that_others_read_differently_is_refused() -> None:
    """When the present file would hide a value from the uploader, nothing is written."""
    with pytest.raises(PermanentFailure) as caught:
        ini_text(INI, present=b"[a]\nx = 1\n[ftp]y = 1\n")
    assert caught.value.code == "generator.not_readable"


def test_a_file_is_written_in_one_step_for_its_owner_only(tmp_path: Path) -> None:
    """The file is there whole, readable by its owner only, and nothing else is left in the folder."""
    folder = tmp_path / "pour" / "Dupont"
    path = write_ini(INI, folder, fiduciary_name="Fiduciaire Exemple")
    assert path == folder / "000204.ini"
    assert client_ini.read(path) == INI
    assert path.read_bytes().decode() == ini_text(INI, "Fiduciaire Exemple")
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text(path.read_text(encoding="utf-8") + "; à moi\n", encoding="utf-8")
    write_ini(INI, folder)
    assert path.read_bytes().endswith("; à moi\r\n".encode())
    assert write_ini(INI, folder, ANY_CLIENT).name == "envoi.ini"
    assert sorted(os.listdir(folder)) == ["000204.ini", "envoi.ini"]


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    """Where no file can be written, a failure names the folder, and nothing is left."""
    blocked = tmp_path / "a file"
    blocked.write_text("x", encoding="utf-8")
    with pytest.raises(PermanentFailure) as caught:
        write_ini(INI, blocked / "sub")
    assert caught.value.code == "generator.not_written"
    (tmp_path / "000204.ini").mkdir()
    with pytest.raises(PermanentFailure) as caught:
        write_ini(INI, tmp_path)
    assert caught.value.code == "ini.unreadable_file"
    assert sorted(os.listdir(tmp_path)) == ["000204.ini", "a file"]
