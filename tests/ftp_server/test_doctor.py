"""``navette server doctor``: each rule on its own, then the command beside a real server."""

import datetime
import json
import os
import re
import resource
import socket
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from navette_server import NavetteServer, navette
from ports import free_port, free_range
from product import ROOT, failure_codes

from ftp_server.certificate_facts import CertificateFacts
from ftp_server.findings import Finding
from ftp_server.home_checks import (
    DatabaseFacts,
    HomeFacts,
    certificate_findings,
    database_findings,
    home_findings,
)
from ftp_server.network_checks import NetworkFacts, network_findings, ports_to_open, to_forward
from ftp_server.server_ini import HostSettings
from navette.cli import main
from transfer.language import LANGUAGES, Language

NOW = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)
WIDE = HostSettings(
    host="0.0.0.0", port=21, passive_ports=range(30_000, 30_256), public_address="9.9.9.9", processes=2, sessions=128
)
REACHED = NetworkFacts(WIDE, "0.0.0.0", {21: "free"}, (), frozenset(range(32_768, 61_000)), 0)
SOUND = HomeFacts("/srv/navette", "navette", "navette", 0o40700, True, 2**40, True, True, 1.0, 65_536)
CERTIFICATE = CertificateFacts(
    subject="ftp.example.be",
    names=("ftp.example.be", "*.example.org", "9.9.9.9"),
    issuer="Example",
    self_signed=False,
    key="RSA 2048",
    not_before=NOW - datetime.timedelta(days=9),
    not_after=NOW + datetime.timedelta(days=40),
    fingerprint="00" * 32,
)
HERE = HostSettings(host="127.0.0.1")

NETWORK = [
    ({}, set()),
    ({"address": None}, {"doctor.host_unknown"}),
    ({"ports": {21: "answers"}}, set()),
    ({"ports": {21: "free", 990: "silent"}}, {"doctor.port_silent"}),
    ({"ports": {21: "taken"}}, {"doctor.port_taken"}),
    ({"ports": {21: "forbidden"}}, {"doctor.port_forbidden"}),
    ({"busy": (30_001,)}, {"doctor.passive_busy"}),
    ({"busy": (30_001,), "sessions": 1}, set()),
    ({"borrowed": frozenset({30_255})}, {"doctor.passive_borrowed"}),
    ({"settings": HERE, "address": "127.0.0.1"}, {"doctor.host_loopback"}),
    ({"address": "192.168.1.5"}, set()),
    ({"settings": {"public_address": None}}, {"doctor.public_missing"}),
    ({"settings": {"public_address": None}, "address": "9.9.9.9"}, set()),
    ({"settings": {"public_address": "192.168.1.5"}}, {"doctor.public_private"}),
    ({"settings": {"passive_ports": None}}, {"doctor.passive_missing"}),
    ({"settings": {"port": 30_010}}, {"doctor.passive_holds_port"}),
    ({"settings": {"metrics_port": 30_010}}, {"doctor.passive_holds_port"}),
    ({"settings": {"implicit_port": 30_010}}, {"doctor.passive_holds_port"}),
    ({"settings": {"sessions": 257}}, set()),
    ({"settings": {"sessions": 257, "processes": 3}}, {"doctor.passive_narrow"}),
]
HOME = [
    ({}, set()),
    ({"owner": "root"}, {"doctor.home_owner"}),
    ({"writable": False, "sync": None}, {"doctor.home_closed"}),
    ({"mode": 0o40755}, {"doctor.home_open"}),
    ({"mode": None, "owner": None}, set()),
    ({"free": 64 * 2**20}, {"doctor.disk_full"}),
    ({"free": 65 * 2**20}, {"doctor.disk_scarce"}),
    ({"hard_links": False}, {"doctor.no_hard_links"}),
    ({"attributes": False}, {"doctor.no_attributes"}),
    ({"sync": 51.0}, {"doctor.sync_slow"}),
    ({"descriptors": 711}, {"doctor.descriptors"}),
    ({"descriptors": 712}, set()),
    ({"descriptors": None}, set()),
]
CERTIFICATES = [
    ({}, "ftp.example.be", 0o600, set()),
    ({}, "9.9.9.9", 0o400, set()),
    ({}, "FTP.example.org", 0o600, set()),
    ({}, "a.b.example.org", 0o600, {"doctor.certificate_names"}),
    ({}, "9.9.9.8", 0o600, {"doctor.certificate_names"}),
    ({}, None, 0o640, {"doctor.key_open"}),
    ({"not_after": NOW + datetime.timedelta(days=29)}, None, 0o600, {"doctor.certificate_ends"}),
    ({"not_after": NOW - datetime.timedelta(hours=1)}, None, 0o600, {"doctor.certificate_ended"}),
    ({"not_before": NOW + datetime.timedelta(hours=1)}, None, 0o600, {"doctor.certificate_early"}),
]
DATABASES = [
    (DatabaseFacts("", False, (), None), set()),
    (DatabaseFacts("", False, (), NOW.timestamp() - 5), set()),
    (DatabaseFacts("row 3 missing", False, (), None), {"doctor.database_damaged"}),
    (DatabaseFacts("", True, (), None), {"doctor.database_old"}),
    (DatabaseFacts("", False, ("READ_570013",), None), {"doctor.read_in_clear"}),
    (DatabaseFacts("", False, (), NOW.timestamp() + 120), {"doctor.clock"}),
]


def complaints(findings: list[Finding]) -> set[str]:
    """Return the codes of what is not fine, after checking that each finding is a whole sentence in each language."""
    for finding in findings:
        for language in LANGUAGES:
            said = Language(language, "ftp_server").say(finding.code, **finding.values)
            assert said != finding.code
            assert "{" not in said
    return {finding.code for finding in findings if finding.level}


@pytest.mark.parametrize(("changes", "codes"), NETWORK)
def test_how_a_server_can_be_reached(changes: dict[str, object], codes: set[str]) -> None:
    """Each way in which nobody could reach the server is found, and no other."""
    facts = REACHED
    for name, value in changes.items():
        changed = name == "settings" and isinstance(value, dict)
        given = replace(WIDE, **value) if changed else value  # type: ignore[arg-type]
        facts = replace(facts, **{name: given})  # type: ignore[arg-type]
    assert complaints(network_findings(facts)) == codes


@pytest.mark.parametrize(("changes", "codes"), HOME)
def test_what_a_home_is_like(changes: dict[str, object], codes: set[str]) -> None:
    """Each fault of folder, disk and limits is found, and no other."""
    assert complaints(home_findings(replace(SOUND, **changes), WIDE)) == codes  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "host", "mode", "codes"), CERTIFICATES)
def test_what_a_certificate_is_like(
    changes: dict[str, datetime.datetime], host: str | None, mode: int, codes: set[str]
) -> None:
    """A certificate that ends, has not begun, is for another name, or whose key others can read, is found."""
    said = replace(CERTIFICATE, **changes)  # type: ignore[arg-type]
    assert complaints(certificate_findings([said], {"/srv/key.pem": mode}, host, NOW.timestamp())) == codes


@pytest.mark.parametrize(("facts", "codes"), DATABASES)
def test_what_a_database_is_like(facts: DatabaseFacts, codes: set[str]) -> None:
    """A damaged or older database, READ accounts without TLS and a clock that went back are found."""
    assert complaints(database_findings(facts, NOW.timestamp())) == codes


def test_a_clock_of_the_past() -> None:
    """A clock that stands before the program was made is found without any document."""
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC).timestamp()
    assert complaints(database_findings(DATABASES[0][0], past)) == {"doctor.clock"}


def test_which_ports_to_open() -> None:
    """A firewall lets in port and passive range, a router forwards them inside, and loopback needs neither."""
    assert ports_to_open(WIDE, "0.0.0.0") == [(21, 21), (30_000, 30_255)]
    more = replace(WIDE, implicit_port=990, old_printers_port=2122)
    assert ports_to_open(more, "0.0.0.0") == [(21, 21), (990, 990), (2122, 2122), (30_000, 30_255)]
    assert ports_to_open(HERE, "127.0.0.1") == []
    reached = {None: False, "0.0.0.0": True, "192.168.1.5": True, "9.9.9.9": False, "127.0.0.1": False, "::1": False}
    assert {address: to_forward(address) for address in reached} == reached


def test_every_rule_was_tried() -> None:
    """Each sentence of the doctor that complains is brought about in these tests."""
    tried = {code for table in (NETWORK, HOME, DATABASES) for _, codes in table for code in codes}
    tried |= {code for *_, codes in CERTIFICATES for code in codes}
    checks = [ROOT / "ftp_server" / name for name in ("network_checks.py", "home_checks.py")]
    assert tried == set().union(*map(failure_codes, checks))


def examined(home: Path, code: int) -> dict[str, object]:
    """Run the command, which must end with ``code``, and return its JSON."""
    told = navette(home, "server", "doctor", "--json", check=False)
    assert told.returncode == code, told.stdout + told.stderr
    found = json.loads(told.stdout)
    assert isinstance(found, dict)
    return found


def codes_of(found: dict[str, object]) -> set[str]:
    """Return the codes of what is not fine."""
    rows = found["findings"]
    assert isinstance(rows, list)
    return {row["code"] for row in rows if row["level"] != "fine"}


def test_beside_a_running_server(navette_server: NavetteServer) -> None:
    """A running server on loopback has nothing wrong but that, also while sessions hold passive ports."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found = examined(navette_server.home, 1)
    small = {"doctor.descriptors"} if limit < 40_200 else set()
    assert codes_of(found) - small == {"doctor.host_loopback", "doctor.passive_narrow"}
    assert (found["open_ports"], found["forward_to"]) == ([], None)
    rows = found["findings"]
    assert isinstance(rows, list)
    assert {"doctor.port_ours", "doctor.database", "doctor.sync"} <= {row["code"] for row in rows}
    assert not list((navette_server.home / "server").glob(".doctor*"))


def test_what_a_host_did_wrong(tmp_path: Path) -> None:
    """A taken port, a key that others can read, an open home and a damaged database are each told, with exit code 2."""
    home = tmp_path / "server"
    navette(tmp_path, "server", "account", "add", "570013")
    navette(tmp_path, "server", "account", "tls", "READ_570013", "optional")
    navette(tmp_path, "server", "certificate", "renew")
    next(home.glob("*.key")).chmod(0o644)
    home.chmod(0o755)
    with socket.socket() as other:
        other.bind(("0.0.0.0", free_port()))
        other.listen()
        port = str(other.getsockname()[1])
        navette(tmp_path, "server", "settings", "host", "0.0.0.0")
        navette(tmp_path, "server", "settings", "port", port)
        found = examined(tmp_path, 2)
    expected = {"doctor.port_taken", "doctor.key_open", "doctor.home_open", "doctor.read_in_clear"}
    assert expected | {"doctor.passive_missing", "doctor.public_missing"} <= codes_of(found)
    assert found["open_ports"] == [{"protocol": "tcp", "first": int(port), "last": int(port)}]
    assert found["forward_to"] == "0.0.0.0"
    for path in home.glob("server.db-*"):
        path.unlink()
    (home / "server.db").write_bytes(b"no database " * 100)
    assert "doctor.database_damaged" in codes_of(examined(tmp_path, 2))
    (home / "server.ini").write_text("[server]\nport = x\n")
    assert codes_of(examined(tmp_path, 2)) == {"server_ini.bad_number"}


def test_an_older_database(tmp_path: Path) -> None:
    """A database from before this version is told, and is not changed."""
    navette(tmp_path, "server", "account", "add", "570013")
    database = sqlite3.connect(tmp_path / "server" / "server.db")
    database.execute("ALTER TABLE accounts DROP COLUMN bound")
    database.close()
    assert "doctor.database_old" in codes_of(examined(tmp_path, 1))
    database = sqlite3.connect(tmp_path / "server" / "server.db")
    assert "bound" not in {row[1] for row in database.execute("PRAGMA table_info(accounts)")}
    database.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_doctor_speaks(tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads sentences in one's own language, the worst first, then the ports for firewall and router."""
    words = ["--home", str(tmp_path), "--language", language, "server"]
    port, *passive = free_range(257)  # together, so that the one never lies among the others
    shown = f"{passive[0]}-{passive[-1]}"
    for key, value in (("host", "0.0.0.0"), ("port", str(port)), ("passive_ports", shown)):
        assert main([*words, "settings", key, value]) == 0
    capsys.readouterr()
    assert main([*words, "doctor"]) == 1
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert re.search(r"\[doctor\.[a-z_]+\]$", lines[0])
    assert [line for line in lines if f"TCP {shown}" in line] == lines[-2:]
    assert not [sign for sign in ("{", "diagnosis.") if sign in said]


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator can give a file away")
def test_what_an_administrator_writes_stays_readable(tmp_path: Path) -> None:
    """Settings and certificates written by an administrator belong to the user the server runs as."""
    home = tmp_path / "server"
    home.mkdir()
    os.chown(home, 12_345, 12_345)
    navette(tmp_path, "server", "settings", "port", "2199")
    navette(tmp_path, "server", "certificate", "renew")
    assert {path.stat().st_uid for path in home.iterdir()} == {12_345}
    assert "doctor.home_owner" in codes_of(examined(tmp_path, 2))
