"""The host's settings file: what is read, what is refused and where, and what a change leaves as it is."""

import json
from pathlib import Path

import pytest
from navette_server import NavetteServer, navette
from ports import free_port

from ftp_server import server_ini
from ftp_server.server_ini import HostSettings
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES, Language

COMPLETE = """\
# our server
[server]
host = 0.0.0.0
port = 21
implicit_port = 990
old_printers_port = 2122
passive_ports = 30000-30255
public_address = 203.0.113.7
processes = 2
sessions = 100
safe = 192.0.2.0/24, 2001:db8::/32
log_commands = yes
certificate = /etc/navette/chain.pem
key = /etc/navette/key.pem
trash_days = 60
metrics_port = 9121
"""

WRONG = [
    ("[server]\nport = 0\n", "server_ini.bad_number", 2),
    ("[server]\nport = twenty-one\n", "server_ini.bad_number", 2),
    ("[server]\n\n# ports\npassive_ports = 30255-30000\n", "server.bad_port_range", 4),
    ("[server]\npassive_ports = 21-30\n", "server.bad_port_range", 2),
    ("[server]\nhost = a b\n", "server_ini.bad_host", 2),
    ("[server]\npublic_address = ftp.example.be\n", "server_ini.bad_address", 2),
    ("[server]\npublic_address = 2001:db8::1\n", "server_ini.bad_address", 2),
    ("[server]\ncertificate = chain.pem\nkey = /k\n", "server_ini.bad_path", 2),
    ("[server]\nsafe = 192.0.2.0/24 office\n", "server_ini.bad_network", 2),
    ("[server]\nlog_commands = 1\n", "server_ini.bad_yes_no", 2),
    ("[server]\nport = 21\nkey = /k\n", "server_ini.goes_with", 3),
    ("[server]\ncertificate2 = /c\nkey2 = /k\n", "server_ini.goes_with", 2),
    ("[server]\nport = 21\nPort = 22\n", "server_ini.twice", 3),
    ("[server]\n[server]\n", "server_ini.twice", 2),
    ("port = 21\n", "server_ini.no_section", 1),
    ("[server]\nport = 21\nwhatever\n", "server_ini.bad_line", 3),
    ("[server]\nport = 21\n 22\n", "server_ini.bad_number", 2),
    ("[server]\nprot = 21\n", "server_ini.unknown_key", 2),
    ("[server]\nhost = %(port)s\n", "server_ini.bad_host", 2),
]


def test_a_complete_file_is_read() -> None:
    """Every setting of the file means what it says."""
    assert server_ini.parsed(COMPLETE) == HostSettings(
        host="0.0.0.0",
        port=21,
        implicit_port=990,
        old_printers_port=2122,
        passive_ports=range(30_000, 30_256),
        public_address="203.0.113.7",
        processes=2,
        sessions=100,
        safe=("192.0.2.0/24", "2001:db8::/32"),
        log_commands=True,
        certificate=Path("/etc/navette/chain.pem"),
        key=Path("/etc/navette/key.pem"),
        trash_days=60,
        metrics_port=9121,
    )


@pytest.mark.parametrize(("content", "code", "line"), WRONG)
def test_what_cannot_be_used_is_refused_with_its_line(content: str, code: str, line: int) -> None:
    """A wrong value, a wrong name, a setting twice or half a pair is refused with a code and the line it stands on."""
    with pytest.raises(PermanentFailure) as refused:
        server_ini.parsed(content)
    assert (refused.value.code, refused.value.values["place"]) == (code, f"server.ini:{line}")
    for language in LANGUAGES:
        said = Language(language, "ftp_server").failure(refused.value)
        assert f"server.ini:{line}" in said
        assert not [sign for sign in ("{", "server_ini.bad_place") if sign in said]


@pytest.mark.parametrize("content", ["[sever]\nport = 21\n", "[DEFAULT]\nport = 21\n"])
def test_another_section_is_refused(content: str) -> None:
    """A section with a wrong name is not passed over in silence."""
    with pytest.raises(PermanentFailure, match=r"server_ini\.unknown_section"):
        server_ini.parsed(content)


def test_no_file_is_as_nobody_had_set_anything(tmp_path: Path) -> None:
    """Without a file, and with empty values, the settings are the usual ones."""
    assert server_ini.read(tmp_path) == HostSettings() == server_ini.parsed("[server]\npublic_address =\n")


def test_a_change_leaves_all_else(tmp_path: Path) -> None:
    """A changed setting takes its line; comments and other settings stay; one that is unset leaves the file."""
    path = tmp_path / "server.ini"
    path.write_text(COMPLETE)
    server_ini.change(tmp_path, {"port": "2121", "public_address": None})
    kept = COMPLETE.replace("port = 21\n", "port = 2121\n").replace("public_address = 203.0.113.7\n", "")
    assert path.read_text() == kept
    for changes in ({"port": "x"}, {"certificate": None}, {"nothing": "1"}):
        with pytest.raises(PermanentFailure):
            server_ini.change(tmp_path, changes)
    assert path.read_text() == kept
    path.write_text("[server]\nport\n")
    with pytest.raises(PermanentFailure, match=r"server_ini\.bad_line"):
        server_ini.change(tmp_path, {"port": "21"})
    path.write_bytes(b"\xff")
    with pytest.raises(PermanentFailure, match=r"server_ini\.not_readable"):
        server_ini.read(tmp_path)


def test_settings_by_command(tmp_path: Path) -> None:
    """A setting is shown, changed and unset by a command; the file is for its owner only."""

    def settings(*words: str) -> dict[str, object]:
        found = json.loads(navette(tmp_path, "server", "settings", *words, "--json").stdout)
        assert isinstance(found, dict)
        return found

    assert list(settings()) == list(server_ini.KEYS)
    assert settings("passive_ports", "30000-30255") == {"passive_ports": "30000-30255"}
    assert settings("port", "2199") == {"port": 2199}
    assert settings()["passive_ports"] == "30000-30255"
    assert settings("port", "--unset") == {"port": 2121}
    assert (tmp_path / "server" / "server.ini").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "server").stat().st_mode & 0o777 == 0o700
    shown = navette(tmp_path, "--language", "nl", "server", "settings").stdout
    assert "(niet ingesteld)" in shown
    told = navette(tmp_path, "server", "settings", "prot", check=False)
    assert (told.returncode, "[server_ini.unknown_key]" in told.stderr) == (2, True)


def test_a_server_runs_by_its_file(tmp_path: Path) -> None:
    """A server obeys its file; what the command line says wins over it."""
    server = NavetteServer(tmp_path / "navette")
    navette(server.home, "server", "settings", "port", str(free_port()))
    navette(server.home, "server", "settings", "processes", "1")
    server.start()
    try:
        told = json.loads((server.home / "server" / "running" / "server.json").read_text())
        assert (told["settings"]["port"], told["settings"]["processes"]) == (str(server.port), "1")
        assert told["pid"] == server.pid
    finally:
        server.stop()
    assert list((server.home / "server" / "running").iterdir()) == []


def test_a_wrong_file_stops_a_start(tmp_path: Path) -> None:
    """A server does not start with settings that cannot be read; it says where."""
    home = tmp_path / "server"
    home.mkdir()
    (home / "server.ini").write_text("[server]\nport = x\n")
    told = navette(tmp_path, "--language", "en", "server", "run", check=False)
    assert told.returncode == 2
    assert "server.ini:2: “port” is a number from 1 to 65535, not “x”. [server_ini.bad_number]" in told.stderr


def test_a_home_has_one_server(navette_server: NavetteServer) -> None:
    """A second server in the same home is refused, on any port: it would sort away what the first receives."""
    told = navette(navette_server.home, "server", "run", "--port", str(free_port()), check=False)
    assert (told.returncode, "[server.home_taken]" in told.stderr) == (2, True)
