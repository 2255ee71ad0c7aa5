"""Pushes files like scanners do, with lftp, curl and ncftp; never through code of ours."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from transfer.client_ini import Connection

Push = Callable[[Connection, str, Sequence[Path]], None]
"""``push(connection, folder, paths)`` deposits files in a server folder, or raises CalledProcessError."""

_LFTP_SETTINGS = (
    "set net:max-retries 1; set net:timeout 30; set ftp:use-allo on; set ssl:verify-certificate no; "
    "set ftp:ssl-protect-data yes; set ftp:passive-mode {passive}; set ftp:ssl-force {tls}; set ftp:ssl-allow {tls}; "
)


def lftp_command(connection: Connection, commands: str, tls: bool = False) -> list[str]:
    """Return the command line that runs lftp's ``commands`` in a logged-in session."""
    settings = _LFTP_SETTINGS.format(passive="yes" if connection.passive else "no", tls="yes" if tls else "no")
    login = f"open -u {connection.user},{connection.password} -p {connection.port} {connection.host}; "
    return ["lftp", "--norc", "-c", settings + login + commands]


def lftp(connection: Connection, folder: str, paths: Sequence[Path]) -> None:
    """Deposit with lftp's mput over plain FTP."""
    _lftp(connection, folder, paths, tls=False)


def lftp_tls(connection: Connection, folder: str, paths: Sequence[Path]) -> None:
    """Deposit with lftp's mput over FTPS."""
    _lftp(connection, folder, paths, tls=True)


def curl(connection: Connection, folder: str, paths: Sequence[Path]) -> None:
    """Deposit with curl over plain FTP."""
    _curl(connection, folder, paths)


def curl_tls(connection: Connection, folder: str, paths: Sequence[Path]) -> None:
    """Deposit with curl over FTPS."""
    _curl(connection, folder, paths, "--ssl-reqd", "--insecure")


def curl_active(connection: Connection, folder: str, paths: Sequence[Path]) -> None:
    """Deposit with curl in active mode."""
    _curl(connection, folder, paths, "--ftp-port", "-", "--disable-eprt")


def ncftp(connection: Connection, folder: str, paths: Sequence[Path]) -> None:
    """Deposit with ncftpput."""
    login = ["-u", connection.user, "-p", connection.password, "-P", str(connection.port)]
    _run(["ncftpput", "-V", "-t", "30", *login, connection.host, folder, *map(str, paths)])


SCANNERS: dict[str, Push] = {push.__name__: push for push in (lftp, lftp_tls, curl, curl_tls, curl_active, ncftp)}
"""Every kind of scanner by its name."""


def _lftp(connection: Connection, folder: str, paths: Sequence[Path], tls: bool) -> None:
    files = " ".join(f'"{path}"' for path in paths)
    _run(lftp_command(connection, f'cd "{folder}"; mput -P 3 {files}', tls))


def _curl(connection: Connection, folder: str, paths: Sequence[Path], *options: str) -> None:
    for path in paths:
        address = f"ftp://{connection.host}:{connection.port}/{folder.strip('/')}/"
        login = f"{connection.user}:{connection.password}"
        _run(["curl", "-sS", "--max-time", "60", *options, "-u", login, "-T", str(path), address.replace("///", "/")])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command[:1], done.stdout, done.stderr)
