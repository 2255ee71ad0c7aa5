"""``navette ini`` as it is typed."""

import getpass
from pathlib import Path

import pytest

from dossiers import handed_out
from dossiers.firm import Firm
from dossiers.handed_out import Form
from navette.cli import main
from transfer.client_ini import Connection, Security, read

PASSWORD = "Geheim-4711"


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The home of a firm that has a dossier and knows its FTP server."""
    home = tmp_path / "home"
    settings = {
        "fiduciary.number": "570013",
        "fiduciary.name": "Fiduciaire Exemple",
        "ftp.host": "ftp.example.be",
        "ftp.fingerprint": "ab" * 32,
        "ftp.write_password": PASSWORD,
    }
    for name, value in settings.items():
        assert main(["--home", str(home), "settings", "set", name, value]) == 0
    assert main(["--home", str(home), "dossier", "add", "000204", "Boulangerie Dupont", "--language", "nl"]) == 0
    capsys.readouterr()
    return home


def test_a_dossiers_ini_is_written_and_found_sound(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The INI of a dossier reaches the firm's server as WRITE, speaks the client's language, and passes the check."""
    to = tmp_path / "out"
    assert main(["--home", str(home), "--language", "fr", "ini", "write", "000204", "--to", str(to)]) == 0
    shown = capsys.readouterr()
    assert str(to / "000204.ini") in shown.out
    assert PASSWORD not in shown.out + shown.err
    ini = read(to / "000204.ini")
    assert ini.connection == Connection("ftp.example.be", 21, "WRITE_570013", PASSWORD, Security.TLS, "ab" * 32)
    assert (ini.remote_folder, ini.dossier_name, ini.fiduciary, ini.language) == (
        "/000204",
        "Boulangerie Dupont",
        "570013",
        "nl",
    )
    assert "Fiduciaire Exemple" in (to / "000204.ini").read_text(encoding="utf-8")
    assert main(["--language", "fr", "ini", "check", str(to / "000204.ini")]) == 0
    assert capsys.readouterr().out == "000204.ini est en ordre.\n"


def test_the_name_and_the_language_can_be_chosen(home: Path, tmp_path: Path) -> None:
    """With --envoi the file has the name that the uploader finds first, and --language says the client's language."""
    command = ["--home", str(home), "ini", "write", "000204", "--to", str(tmp_path), "--envoi", "--language", "en"]
    assert main(command) == 0
    assert read(tmp_path / "envoi.ini").language == "en"


def test_an_unknown_dossier_is_refused_in_a_sentence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No INI is made for a dossier that the firm does not have."""
    assert main(["--home", str(home), "--language", "nl", "ini", "write", "000999", "--to", str(tmp_path)]) == 2
    assert "[dossier.unknown]" in capsys.readouterr().err
    assert not (tmp_path / "000999.ini").exists()


def test_a_damaged_ini_is_told_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Faults go to standard error with their lines and make the exit code 2; warnings alone do not."""
    path = tmp_path / "envoi.ini"
    lines = [
        "[ftp]",
        "host = a",
        "user = b",
        f"password = {PASSWORD}",
        "port = x",
        "[dossier]",
        "number = 1",
        "fiduciary = 1",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert main(["--language", "fr", "ini", "check", str(path)]) == 2
    shown = capsys.readouterr()
    told = shown.err.splitlines()
    assert [line.partition(" : ")[0] for line in told[:2]] == ["envoi.ini, ligne 5", "envoi.ini, ligne 8"]
    assert told[2].startswith("2 fautes dans envoi.ini")
    assert PASSWORD not in shown.out + shown.err
    path.write_text(
        "\n".join(lines).replace("= x", "= 21\nsecurity = none").replace("fiduciary = 1", "fiduciary = 570013")
    )
    assert main(["--language", "fr", "ini", "check", str(path)]) == 0
    assert "[check.not_encrypted]" in capsys.readouterr().out


def test_a_missing_file_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Checking a file that is not there says so and exits with 2."""
    assert main(["--language", "en", "ini", "check", str(tmp_path / "none.ini")]) == 2
    assert "none.ini was not found" in capsys.readouterr().err


def test_what_was_handed_out_is_remembered(home: Path, tmp_path: Path) -> None:
    """Each INI that is written leaves a line: for which dossier, with which login, by whom."""
    assert main(["--home", str(home), "ini", "write", "000204", "--to", str(tmp_path)]) == 0
    with Firm(home) as firm:
        (kept,) = handed_out.of_dossier(firm, "000204")
    assert (kept.login, kept.form, kept.by) == ("WRITE_570013", Form.INI, getpass.getuser())
