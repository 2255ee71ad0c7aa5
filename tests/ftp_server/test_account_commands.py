"""``navette server account`` as an administrator types it."""

import ftplib
import json
from pathlib import Path

import pytest
from navette_server import NavetteServer, navette

from navette.cli import main
from transfer.language import LANGUAGES

NUMBER = "570013"
READ, WRITE = f"READ_{NUMBER}", f"WRITE_{NUMBER}"


def account(home: Path, *words: str | Path) -> object:
    """Run one command and return its JSON."""
    return json.loads(navette(home, "server", "account", *words, "--json").stdout)


def listed(home: Path) -> dict[str, dict[str, object]]:
    """Return what the list tells of each account."""
    rows = account(home, "list")
    assert isinstance(rows, list)
    return {row["login"]: row for row in rows}


def refused(home: Path, code: str, *words: str | Path) -> str:
    """Run a command that must end with a sentence and its code."""
    told = navette(home, "--language", "en", "server", "account", *words, check=False)
    assert told.returncode == 2
    assert f"[{code}]" in told.stderr
    assert "Traceback" not in told.stderr
    return told.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose server has one fiduciary; each test changes another thing of it."""
    folder = tmp_path_factory.mktemp("commands")
    account(folder, "add", NUMBER, "--name", "Fiduciaire Exemple")
    return folder


def test_an_account_is_bound_by_commands(home: Path) -> None:
    """End, networks and switches are changed by a command each and shown in the list."""
    assert account(home, "expire", WRITE, "2020-12-31T00:00:00+00:00") == {
        "login": WRITE,
        "expires_at": 1609372800.0,
    }
    assert account(home, "networks", WRITE, "203.0.113.7", "2001:db8::/32") == {
        "login": WRITE,
        "networks": ["203.0.113.7/32", "2001:db8::/32"],
    }
    assert account(home, "tls", WRITE, "required") == {"login": WRITE, "tls_required": True}
    assert account(home, "close-notify", WRITE, "optional") == {"login": WRITE, "close_notify": False}
    assert account(home, "bind", WRITE, "required") == {"login": WRITE, "bound": True}
    assert account(home, "quota", NUMBER, "500") == {"fiduciary": NUMBER, "quota": 500 * 2**20}
    assert listed(home)[WRITE] == {
        "login": WRITE,
        "enabled": True,
        "tls_required": True,
        "fiduciary": NUMBER,
        "dossier": None,
        "expires_at": 1609372800.0,
        "networks": ["203.0.113.7/32", "2001:db8::/32"],
        "close_notify": False,
        "bound": True,
        "quota": 500 * 2**20,
    }
    lines = navette(home, "--language", "en", "server", "account", "list").stdout.splitlines()
    line = next(line for line in lines if line.split()[0] == WRITE)
    for shown in ("ended", "FTPS required", "until 202", "from 203.0.113.7/32 2001:db8::/32", "without", "bound"):
        assert shown in line
    account(home, "expire", WRITE, "never")
    account(home, "networks", WRITE, "any")
    account(home, "quota", NUMBER, "unlimited")
    found = listed(home)[WRITE]
    assert (found["expires_at"], found["networks"], found["quota"]) == (None, [], None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_change_is_told_in_a_sentence(home: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a command did is said in the reader's language, with nothing left to fill in."""
    for words in (
        ("expire", WRITE, "31/12/2090"),
        ("expire", WRITE, "never"),
        ("networks", WRITE, "10.0.0.0/8"),
        ("networks", WRITE, "any"),
        ("tls", WRITE, "optional"),
        ("close-notify", WRITE, "required"),
        ("bind", WRITE, "optional"),
        ("quota", NUMBER, "12,5"),
        ("quota", NUMBER, "unlimited"),
        ("rename", NUMBER, "Cabinet Élan"),
    ):
        assert main(["--home", str(home), "--language", language, "server", "account", *words]) == 0
        told = capsys.readouterr().out.strip()
        assert WRITE in told or NUMBER in told
        assert not [sign for sign in ("{", "server.", "switch.") if sign in told]


def test_accounts_of_one_fiduciary(home: Path) -> None:
    """The list can be of one fiduciary only."""
    account(home, "add", "570014")
    rows = account(home, "list", "--fiduciary", "570014")
    assert isinstance(rows, list)
    assert [row["login"] for row in rows] == ["READ_570014", "WRITE_570014"]


def test_a_dossier_changes_its_number(home: Path) -> None:
    """A dossier's account is given to another dossier; other accounts cannot be renamed."""
    account(home, "add", NUMBER, "--dossier", "000204")
    assert account(home, "rename", f"{WRITE}_000204", "000205") == {"login": f"{WRITE}_000205"}
    assert f"{WRITE}_000205" in listed(home)
    assert f"{WRITE}_000204" not in listed(home)
    refused(home, "account.not_of_dossier", "rename", WRITE, "000205")
    refused(home, "account.unknown", "rename", f"{WRITE}_000204", "000206")
    refused(home, "account.bad_fiduciary", "rename", "57001", "Name")


def test_wrong_words_are_refused_with_a_code(home: Path) -> None:
    """A date, a network and a quota that are none are refused before anything changes."""
    before = listed(home)
    refused(home, "account.bad_date", "expire", READ, "soon")
    refused(home, "account.bad_network", "networks", READ, "10.0.0.0/8", "office")
    refused(home, "account.bad_quota", "quota", NUMBER, "-5")
    refused(home, "account.bad_quota", "quota", NUMBER, "0")
    refused(home, "account.unknown_fiduciary", "quota", "999999", "5")
    refused(home, "account.unknown", "tls", "WRITE_999999", "optional")
    assert listed(home) == before


def test_accounts_are_made_from_a_table(tmp_path: Path) -> None:
    """A table is imported once with its passwords in a file of their own, exported, and refused as a whole."""
    table = tmp_path / "table.csv"
    table.write_bytes("Fiduciaire;Nom;Dossier\r\n570013;Élan;\r\n570013;;000204\r\n".encode("cp1252"))
    home, sheet = tmp_path / "home", tmp_path / "passwords.csv"
    told = navette(home, "--language", "fr", "server", "account", "import", table, "--passwords", sheet).stdout
    assert "3 comptes" in told
    assert str(sheet) in told
    passwords = dict(line.split(";") for line in sheet.read_text().splitlines()[1:])
    assert passwords.keys() == {READ, WRITE, f"{WRITE}_000204"} == listed(home).keys()
    assert not [password for password in passwords.values() if password in told]
    assert sheet.stat().st_mode & 0o777 == 0o600

    refused(home, "new_file.exists", "import", table, "--passwords", sheet)
    said = refused(home, "account_csv.refused", "import", table)
    assert "Line 2: " in said
    assert said.count("[account.exists]") == 2
    told = navette(home, "server", "account", "import", table, "--json", check=False).stdout
    assert [(row["line"], row["code"]) for row in json.loads(told)["refused"]] == [
        (2, "account.exists"),
        (3, "account.exists"),
    ]
    refused(home, "sheet.no_file", "import", tmp_path / "nowhere.csv")

    exported = tmp_path / "export.csv"
    account(home, "export", exported)
    refused(home, "new_file.exists", "export", exported)
    shown = navette(home, "server", "account", "export").stdout
    assert shown == exported.read_text("utf-8-sig").replace("\r\n", "\n")
    made = account(tmp_path / "other", "import", exported)
    assert isinstance(made, dict)
    assert made.keys() == passwords.keys()
    assert listed(tmp_path / "other") == listed(home)


def test_a_running_server_obeys_at_once(navette_server: NavetteServer) -> None:
    """A password that was reset beside a running server is let in at the next login."""
    login = f"WRITE_{NUMBER}"

    def enters(password: str) -> bool:
        with ftplib.FTP() as ftp:
            ftp.connect("127.0.0.1", navette_server.port, timeout=20)
            try:
                return ftp.login(login, password).startswith("230")
            except ftplib.error_perm:
                return False

    assert enters(navette_server.passwords[login])
    made = account(navette_server.home, "reset", login)
    assert isinstance(made, dict)
    assert enters(made[login])
