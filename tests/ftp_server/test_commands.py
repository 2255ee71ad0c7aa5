"""``navette server`` as an administrator types it."""

import json
from pathlib import Path

import pytest
from navette_server import navette
from served import FIDUCIARY, PDF, serving
from waiting import until

from ftp_server.judging import Ending
from transfer.language import LANGUAGES, Language


def test_accounts(tmp_path: Path) -> None:
    """Accounts are made once, listed without passwords, reset, refused and let in again."""
    made = json.loads(navette(tmp_path, "server", "account", "add", FIDUCIARY, "--json").stdout)
    assert set(made) == {f"READ_{FIDUCIARY}", f"WRITE_{FIDUCIARY}"}
    again = navette(tmp_path, "--language", "en", "server", "account", "add", FIDUCIARY, check=False)
    assert (again.returncode, "[account.exists]" in again.stderr) == (2, True)
    navette(tmp_path, "server", "account", "add", FIDUCIARY, "--dossier", "000204")
    reset = json.loads(navette(tmp_path, "server", "account", "reset", f"WRITE_{FIDUCIARY}", "--json").stdout)
    assert reset[f"WRITE_{FIDUCIARY}"] != made[f"WRITE_{FIDUCIARY}"]
    navette(tmp_path, "server", "account", "disable", f"WRITE_{FIDUCIARY}_000204")
    listed = navette(tmp_path, "--language", "en", "server", "account", "list").stdout
    states = {line.split()[0]: line.split()[1] for line in listed.splitlines()}
    assert states == {
        f"READ_{FIDUCIARY}": "enabled",
        f"WRITE_{FIDUCIARY}": "enabled",
        f"WRITE_{FIDUCIARY}_000204": "disabled",
    }
    assert not [password for password in (*made.values(), *reset.values()) if password in listed]
    navette(tmp_path, "server", "account", "enable", f"WRITE_{FIDUCIARY}_000204")
    unknown = navette(tmp_path, "server", "account", "reset", "WRITE_999999", check=False)
    assert (unknown.returncode, "[account.unknown]" in unknown.stderr) == (2, True)


@pytest.mark.parametrize("number", ["57001", "5700133", "57001x", "../../a"])
def test_bad_numbers(tmp_path: Path, number: str) -> None:
    """A fiduciary's number that is not six digits is refused with its code."""
    told = navette(tmp_path, "server", "account", "add", number, check=False)
    assert (told.returncode, "[account.bad_fiduciary]" in told.stderr) == (2, True)


def test_suspects(tmp_path: Path) -> None:
    """The doubtful files are listed with their reason in words."""
    with serving(tmp_path / "server") as served, served.session() as ftp:
        sock = ftp.transfercmd("STOR /000204/scan.pdf")
        sock.sendall(PDF[:5000])
        sock.close()
        ftp.close()
        until(lambda: served.suspects() != [], 5, "the suspect")
    listed = navette(tmp_path, "--language", "fr", "server", "suspects").stdout
    assert "/000204/scan.pdf" in listed
    assert "la marque de fin du format manque" in listed


def test_every_reason_has_words() -> None:
    """Every reason to doubt a file is said in three languages."""
    reasons = {ending.value for ending in Ending} - {"closed", "close_notify"}
    reasons |= {"shorter_than_announced", "no_end_mark", "no_beginning", "control_lost", "server_stopped"}
    for code in LANGUAGES:
        for reason in reasons:
            assert Language(code, "ftp_server").say(f"suspect.{reason}") != f"suspect.{reason}"


def test_taken_port(tmp_path: Path) -> None:
    """A port that another program holds is said in a sentence."""
    with serving(tmp_path / "server") as served:
        told = navette(tmp_path / "other", "server", "run", "--port", str(served.port), check=False)
    assert (told.returncode, "[server.port_taken]" in told.stderr) == (2, True)


def test_wrong_port_range(tmp_path: Path) -> None:
    """A passive range that is none is said in a sentence."""
    told = navette(tmp_path, "server", "run", "--passive-ports", "60000-50000", check=False)
    assert (told.returncode, "[server.bad_port_range]" in told.stderr) == (2, True)
    assert "Traceback" not in told.stderr
