"""Starts vsftpd, ProFTPD and Pure-FTPd on loopback ports; never as services, never with users of the machine."""

import datetime
import hashlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from ports import free_port, is_listening
from processes import end, reap, started
from waiting import until

from transfer.client_ini import Connection, Security

DOSSIER = "000204"
"""The folder that is there from the start, writable on every server."""

KINDS = ("vsftpd", "proftpd", "pure-ftpd")
_PACKED = Path(__file__).resolve().parents[2] / ".venv" / "peers"
_PASSWORD = "Wx7-kqM2-vLt9"
_DAEMON = 1  # the account "daemon", which every Debian has, with a home that exists: files are written as it


@dataclass(frozen=True)
class Peer:
    """A running server: its root folder on disk, how to connect to it, and its process number."""

    kind: str
    root: Path
    connection: Connection
    pid: int


@contextmanager
def peer(kind: str, folder: Path, security: Security = Security.NONE) -> Iterator[Peer]:
    """Run one of :data:`KINDS` for a ``with`` block, with its root in ``folder``/root; ended and reaped afterwards."""
    root = folder / "root"
    (root / DOSSIER).mkdir(parents=True)
    shutil.chown(root / DOSSIER, _DAEMON)
    if kind != "vsftpd":  # which takes nothing at the root itself from an anonymous user
        shutil.chown(root, _DAEMON)
    for above in (folder, *folder.parents):  # the server leaves root's rights before it enters the folder
        if above.stat().st_uid == 0 and above.stat().st_mode & 0o005 != 0o005:
            above.chmod(above.stat().st_mode | 0o055)
    certificate = folder / "certificate.pem"
    fingerprint = self_signed(certificate)
    port = free_port()
    tls = security is Security.TLS
    command, user = {"vsftpd": _vsftpd, "proftpd": _proftpd, "pure-ftpd": _pure_ftpd}[kind](
        folder, root, port, certificate if tls else None
    )
    log = folder / "server.log"
    process = started(command, log)
    try:
        until(
            lambda: process.poll() is not None or is_listening(port),
            what=f"{kind} to listen; it said: {log.read_text(errors='replace')}",
        )
        assert process.poll() is None, f"{kind} ended at once: {log.read_text(errors='replace')}"
        connection = Connection("127.0.0.1", port, user, _PASSWORD, security, fingerprint if tls else None)
        yield Peer(kind, root, connection, process.pid)
    finally:
        end(process)
        reap(kind)


def self_signed(path: Path) -> str:
    """Write a new RSA-2048 key and its certificate to ``path``; return the certificate's SHA-256 in hex."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + pem
    )
    path.chmod(0o600)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).hexdigest()


def _program(name: str) -> Path:
    path = _PACKED / "usr" / "sbin" / name
    assert path.exists(), f"{name} is not there: run packaging/linux/install-test-peers (make peers)"
    return path


def _password_hash() -> str:
    """Return md5-crypt of the password: fast, so that what is compared is the servers and not their hashes."""
    told = subprocess.run(
        ["openssl", "passwd", "-1", "-stdin"], input=_PASSWORD.encode(), capture_output=True, check=True
    )
    return told.stdout.decode().strip()


def _vsftpd(folder: Path, root: Path, port: int, certificate: Path | None) -> tuple[list[str | Path], str]:
    """Anonymous with all rights: the only account of vsftpd that needs neither PAM nor a user of the machine."""
    lines = f"""
listen=YES
background=NO
listen_address=127.0.0.1
listen_port={port}
anonymous_enable=YES
local_enable=NO
ftp_username=daemon
nopriv_user=nobody
anon_root={root}
anon_umask=022
no_anon_password=NO
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
secure_chroot_dir={folder}/empty
connect_from_port_20=NO
xferlog_enable=NO
delay_failed_login=0
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
"""
    if certificate:
        lines += f"""
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
require_ssl_reuse=YES
rsa_cert_file={certificate}
rsa_private_key_file={certificate}
"""
    empty = folder / "empty"  # where vsftpd shuts itself in before a login
    empty.mkdir()
    settings = folder / "vsftpd.conf"
    settings.write_text(lines)
    return [_program("vsftpd"), settings], "anonymous"


def _proftpd(folder: Path, root: Path, port: int, certificate: Path | None) -> tuple[list[str | Path], str]:
    """One user of its own password file, shut in the root folder; SHA-256 on demand by mod_digest."""
    users = folder / "users"
    users.write_text(f"depot:{_password_hash()}:{_DAEMON}:{_DAEMON}::{root}:/bin/false\n")
    users.chmod(0o600)
    lines = f"""
ModulePath {_PACKED}/usr/lib/proftpd
LoadModule mod_digest.c
LoadModule mod_tls.c
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port {port}
UseIPv6 off
UseReverseDNS off
User daemon
Group daemon
AuthUserFile {users}
AuthOrder mod_auth_file.c
RequireValidShell off
DefaultRoot ~
AllowOverwrite on
PidFile {folder}/pid
ScoreboardFile {folder}/scoreboard
DelayEngine off
WtmpLog off
TransferLog none
SystemLog {folder}/server.log
DigestAlgorithms sha1 sha256
"""
    if certificate:
        lines += f"""
TLSEngine on
TLSRequired on
TLSRSACertificateFile {certificate}
TLSRSACertificateKeyFile {certificate}
"""
    settings = folder / "proftpd.conf"
    settings.write_text(lines)
    return [_program("proftpd"), "--nodaemon", "--quiet", "--config", settings], "depot"


def _pure_ftpd(folder: Path, root: Path, port: int, certificate: Path | None) -> tuple[list[str | Path], str]:
    """One virtual user in a puredb, shut in the root folder."""
    users, database = folder / "users", folder / "users.pdb"
    users.write_text(f"depot:{_password_hash()}:{_DAEMON}:{_DAEMON}::{root}/./::::::::::::\n")
    subprocess.run([_PACKED / "usr" / "bin" / "pure-pw", "mkdb", database, "-f", users], check=True)
    command: list[str | Path] = [_program("pure-ftpd"), "--bind", f"127.0.0.1,{port}", "--login", f"puredb:{database}"]
    command += ["--noanonymous", "--chrooteveryone", "--dontresolve", "--minuid", "1", "--ipv4only"]
    command += ["--limitrecursion", "200000:8", "--pidfile", folder / "pid"]
    command += ["--tls", "2", "--certfile", certificate] if certificate else ["--tls", "0"]
    return command, "depot"
