"""What the scanners and fuzzers of others find at a server of two processes; run by ``make hostile`` only.

They are Debian packages (nmap, sslscan, testssl.sh, doona); each runs against its own part of one running server.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from dialogue import WRITE, Dialogue, deposited
from navette_server import NavetteServer, navette, shared_server

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NavetteServer]:
    """The server that all tools try; none of its sessions may fail, and it serves when they are done."""
    with shared_server(tmp_path_factory.mktemp("tools") / "navette") as running:
        assert deposited(running, "/before")[:3] == "226"
        yield running
        with Dialogue(running, "127.0.0.50") as session:
            assert session.log_in()[:3] == "230"
            assert session.store("/after/alive.pdf", b"%PDF-1.4\n%%EOF\n")[:3] == "226"
        assert running.running


def told(*command: str | Path, seconds: float = 600) -> str:
    """Run a tool to its end and return what it says."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, errors="replace", timeout=seconds, check=False
    )
    return done.stdout + done.stderr


def nmap(server: NavetteServer, scripts: str, *arguments: str) -> str:
    """Run some of nmap's scripts against the server, which they would not take for FTP by its port."""
    forced = ",".join(f"+{script}" for script in scripts.split())
    words = ("-n", "-Pn", "-d1", "-p", str(server.port), "--script", forced, "--script-args", ",".join(arguments))
    return told("nmap", *words, "127.0.0.1")


def test_nmap_looks(server: NavetteServer) -> None:
    """nmap finds no anonymous login, no bounce even with a right password, nothing told before a login."""
    login = [f"ftp-bounce.username={WRITE}", f"ftp-bounce.password={server.passwords[WRITE]}"]
    scripts = "ftp-anon ftp-bounce ftp-syst ftp-proftpd-backdoor ftp-libopie banner"
    found = nmap(server, scripts, *login, "ftp-bounce.checkhost=127.0.0.9")
    assert f"{server.port}/tcp open" in found
    assert "Finished ftp-bounce against 127.0.0.1" in found
    assert "banner: 220 Navette ready." in found
    for finding in ("Anonymous FTP login allowed", "bounce working", "ftp-syst:", "VULNERABLE", "pyftpdlib"):
        assert finding not in found
    assert f"login user={WRITE} peer=127.0.0.1" in server.log.read_text()


def test_nmap_guesses(server: NavetteServer, tmp_path: Path) -> None:
    """nmap's brute force does not find the password, although it is in its list, and ends in a ban."""
    login = f"{WRITE}_000204"
    users, passwords = tmp_path / "users", tmp_path / "passwords"
    users.write_text(login + "\n")
    passwords.write_text("".join(f"guess-{n}\n" for n in range(30)) + server.passwords[login] + "\n")
    found = nmap(server, "ftp-brute", f"userdb={users}", f"passdb={passwords}", "brute.threads=8")
    assert "No valid accounts found" in found
    assert server.passwords[login] not in found
    assert server.rows("select address, times from bans") == [("127.0.0.1", 1)]
    navette(server.home, "server", "bans", "lift", "127.0.0.1")


def test_sslscan(server: NavetteServer) -> None:
    """sslscan finds TLS 1.2 and 1.3 with forward secrecy and authenticated encryption, and nothing else."""
    found = told("sslscan", "--starttls-ftp", "--xml=-", f"127.0.0.1:{server.port}")
    top = ElementTree.fromstring(found[found.index("<?xml") : found.rindex(">") + 1])
    enabled = {each.get("version") for each in top.iter("protocol") if each.get("enabled") == "1"}
    assert enabled == {"1.2", "1.3"}
    ciphers = {each.get("cipher") or "" for each in top.iter("cipher")}
    assert ciphers
    for cipher in ciphers:
        assert cipher.startswith(("ECDHE-", "TLS_AES_", "TLS_CHACHA20_")), cipher
        assert "GCM" in cipher or "POLY1305" in cipher, cipher
    assert [each.get("vulnerable") for each in top.iter("heartbleed")].count("1") == 0


def test_testssl(server: NavetteServer, tmp_path: Path) -> None:
    """testssl.sh finds no protocol, cipher or vulnerability of more than low severity."""
    table = tmp_path / "testssl.csv"
    words = ("--quiet", "--color", "0", "--starttls", "ftp", "--fast", "-p", "-s", "-U", "--warnings", "off")
    said = told("testssl", *words, "--csvfile", table, f"127.0.0.1:{server.port}")
    rows = [line.split('","') for line in table.read_text().splitlines()[1:]]
    assert len(rows) > 15, said
    grave = [row for row in rows if row[3] in {"MEDIUM", "HIGH", "CRITICAL"}]
    assert grave == []


def test_doona(server: NavetteServer) -> None:
    """doona's fuzzing of FTP ends no process of the server and fails no session."""
    words = ("-m", "FTP", "-t", "127.0.0.1", "-p", str(server.port), "-u", f"{WRITE}_000204")
    said = told("doona", *words, "-v", server.passwords[f"{WRITE}_000204"], "-o", "0", "-M", "600")
    assert "Max requests (600) completed" in said, said[-2000:]
    assert "Problem" not in said
    assert server.running
    assert "server.process_died" not in server.log.read_text()
