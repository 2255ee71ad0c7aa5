"""``navette server certificate`` and ``reload``, with the server that uses the certificate running."""

import datetime
import ftplib
import hashlib
import json
import os
import pty
import select
import signal
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from navette_server import NavetteServer, navette
from waiting import until

from navette.cli import main
from transfer.language import LANGUAGES

NOW = datetime.datetime.now(datetime.UTC)
WRITE = "WRITE_570013"


def made(
    folder: Path, name: str, *, days: int = 90, kind: str = "ecdsa", began: int = -1, password: bytes | None = None
) -> tuple[Path, Path]:
    """Write a self-signed certificate for ``name`` and its key; return both paths."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else rsa.generate_private_key(65_537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=began))
        .not_valid_after(NOW + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, key_path = folder / f"{name}-{kind}.pem", folder / f"{name}-{kind}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return chain, key_path


def told(home: Path, *words: str | Path, code: int = 0) -> dict[str, object]:
    """Run a command below ``server`` and return its JSON."""
    ended = navette(home, "server", *words, "--json", check=False)
    assert ended.returncode == code, ended.stderr
    found = json.loads(ended.stdout)
    assert isinstance(found, dict)
    return found


@contextmanager
def session(server: NavetteServer, ciphers: str | None = None) -> Iterator[ftplib.FTP_TLS]:
    """Log in over TLS, whatever the certificate; with ``ciphers`` over TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if ciphers:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    with ftplib.FTP_TLS(context=context) as ftp:
        ftp.connect("127.0.0.1", server.port, timeout=20)
        ftp.login(WRITE, server.passwords[WRITE])
        ftp.prot_p()
        yield ftp


def seen(ftp: ftplib.FTP_TLS) -> str:
    """Return the fingerprint of the certificate that a session was shown."""
    assert isinstance(ftp.sock, ssl.SSLSocket)
    return hashlib.sha256(ftp.sock.getpeercert(binary_form=True) or b"").hexdigest()


def stored(ftp: ftplib.FTP_TLS, name: str) -> None:
    """Deposit a small document."""
    with ftp.transfercmd(f"STOR {name}") as sock:
        sock.sendall(b"%PDF-1.4\n" + name.encode() * 100 + b"\n%%EOF\n")
        assert isinstance(sock, ssl.SSLSocket)
        sock.unwrap().close()
    assert ftp.voidresp().startswith("226")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_new_certificate_is_taken_without_a_restart(tmp_path: Path, processes: str) -> None:
    """A session open across the reload goes on with its certificate; each process shows new sessions the new one."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start(None, "--processes", processes)
    try:
        with session(server) as old:
            first = seen(old)
            assert first == server.fingerprint == told(server.home, "certificate", "show")["fingerprint"]
            renewed = told(server.home, "certificate", "renew")["fingerprint"]
            assert renewed != first
            with session(server) as before:
                assert seen(before) == first
            assert told(server.home, "reload") == {"processes": int(processes), "fingerprint": renewed}
            for number in range(6):  # the kernel chooses the process
                with session(server) as new:
                    assert seen(new) == renewed
                    stored(new, f"new-{number}.pdf")
            stored(old, "old.pdf")
            assert seen(old) == first
    finally:
        assert server.stop() == 0


def test_a_damaged_certificate_changes_nothing(navette_server: NavetteServer, tmp_path: Path) -> None:
    """A certificate that was damaged on the disk is refused by the command, and by a server asked all the same."""
    chain, key = made(tmp_path, "ftp.example.be")
    told(navette_server.home, "certificate", "use", chain, key)
    chain.write_text("no certificate")
    ended = navette(navette_server.home, "server", "reload", check=False)
    assert (ended.returncode, "[certificate.not_readable]" in ended.stderr) == (2, True)
    os.kill(navette_server.pid, signal.SIGHUP)
    until(lambda: "server.certificate_refused certificate.not_readable" in navette_server.log.read_text(), 15)
    with session(navette_server) as ftp:
        assert seen(ftp) == navette_server.fingerprint
        stored(ftp, "scan.pdf")


def test_two_kinds_of_key(tmp_path: Path) -> None:
    """A device that knows only RSA is served too; the fingerprint told is that of the certificate others see."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    modern, old = made(tmp_path, "ftp.example.be"), made(tmp_path, "ftp.example.be", kind="rsa")
    used = told(server.home, "certificate", "use", *old, "--second", *modern)
    second = used["second"]
    assert isinstance(second, dict)
    assert (used["key"], second["key"]) == ("ECDSA secp256r1", "RSA 2048")
    server.start()
    try:
        assert server.fingerprint == used["fingerprint"]
        with session(server) as ftp:
            assert seen(ftp) == used["fingerprint"]
        with session(server, "ECDHE-RSA-AES256-GCM-SHA384") as ftp:
            assert seen(ftp) == second["fingerprint"]
            stored(ftp, "old.pdf")
    finally:
        server.stop()


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """A pair that does not fit, is out of date, locked, unreadable or out of order is refused and noted nowhere."""
    home = tmp_path / "home"

    def refused(code: str, *words: Path | str) -> None:
        ended = navette(home, "server", "certificate", "use", *words, check=False)
        assert (ended.returncode, f"[{code}]" in ended.stderr, "Traceback" in ended.stderr) == (2, True, False)
        assert not (home / "server" / "server.ini").exists()

    good, other = made(tmp_path, "good"), made(tmp_path, "other")
    refused("certificate.other_key", good[0], other[1])
    refused("certificate.expired", *made(tmp_path, "ended", days=-1, began=-9))
    refused("certificate.not_yet", *made(tmp_path, "early", began=5))
    refused("certificate.key_locked", *made(tmp_path, "locked", password=b"secret"))
    refused("certificate.no_file", tmp_path / "nowhere.pem", good[1])
    refused("certificate.not_readable", good[1], good[1])
    refused("certificate.key_not_readable", good[0], good[0])
    refused("certificate.same_kind", *good, "--second", *other)
    both = tmp_path / "both.pem"
    both.write_bytes(good[0].read_bytes() + other[0].read_bytes())
    refused("certificate.chain_broken", both, good[1])
    ended = navette(home, "server", "certificate", "show", check=False)
    assert (ended.returncode, "[certificate.none]" in ended.stderr) == (2, True)
    ended = navette(home, "server", "reload", check=False)
    assert (ended.returncode, "[server.not_running]" in ended.stderr) == (2, True)


def test_a_server_does_not_start_with_a_damaged_certificate(tmp_path: Path) -> None:
    """A start with a certificate that cannot be used ends with a sentence."""
    chain, key = made(tmp_path, "ftp.example.be")
    told(tmp_path, "certificate", "use", chain, key)
    key.write_text("")
    ended = navette(tmp_path, "server", "run", check=False)
    assert (ended.returncode, "[certificate.key_not_readable]" in ended.stderr) == (2, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_certificate_is_shown(tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A certificate is shown in the reader's language; one that ends soon is told by a sentence and exit code 1."""
    for days, code in ((90, 0), (29, 1)):
        pair = made(tmp_path, "ftp.example.be", days=days)
        words = ["--home", str(tmp_path), "--language", language, "server", "certificate"]
        assert main([*words, "use", *map(str, pair)]) == code
        assert main([*words, "show"]) == code
        shown = capsys.readouterr().out
        assert str(days) in shown
        assert "ftp.example.be" in shown
        assert not [sign for sign in ("{", "certificate.") if sign in shown]


def test_a_server_ends_with_its_terminal(tmp_path: Path) -> None:
    """A server started by hand stops when its terminal goes, though the signal for that is also the one to reload."""
    server = NavetteServer(tmp_path / "navette")
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "navette", "--home", str(server.home), "server", "run"]
        os.execv(sys.executable, [*command, "--processes", "1", "--port", str(server.port)])
    heard = b""
    while not (b" ready on " in heard and heard.endswith(b"\n")):  # it has said all it says at its start
        assert select.select([terminal], [], [], 30)[0]
        heard += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
