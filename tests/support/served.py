"""Runs the server inside the test's own process, so that a test can look behind it at each step."""

import ftplib
import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ftp_server.server import Server, ServerSettings

FIDUCIARY = "570013"
PDF = b"%PDF-1.4\n" + b"a page of a document " * 4000 + b"\n%%EOF\n"
"""A document that proves itself whole by its end mark."""


class JumpingClock:
    """The system's clock, set forward and back by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return the time in seconds since 1970 UTC, as this clock has it."""
        return time.time() + self.ahead


class Served:
    """A running server, its passwords, and raw sessions to it."""

    def __init__(self, server: Server, home: Path, passwords: dict[str, str]) -> None:
        self.server = server
        self.home = home
        self.passwords = passwords
        self.host, self.port = server.address

    @property
    def folder(self) -> Path:
        """The fiduciary's folder on the server's disk."""
        return self.home / "fiduciaries" / FIDUCIARY

    def published(self) -> dict[str, bytes]:
        """Return path -> bytes of all published files."""
        files = self.folder / "files"
        return {str(path.relative_to(files)): path.read_bytes() for path in sorted(files.rglob("*")) if path.is_file()}

    def suspects(self) -> list[bytes]:
        """Return the bytes of all suspects."""
        return [path.read_bytes() for path in sorted((self.folder / "suspects").iterdir())]

    def staged(self) -> list[Path]:
        """Return the files in staging."""
        return [path for path in (self.folder / "staging").rglob("*") if path.is_file()]

    @contextmanager
    def session(self, login: str = f"WRITE_{FIDUCIARY}", tls: bool = False) -> Iterator[ftplib.FTP]:
        """Log in with ftplib."""
        ftp = self.connect(tls)
        try:
            ftp.login(login, self.passwords[login])
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            yield ftp
        finally:
            ftp.close()

    def connect(self, tls: bool = False) -> ftplib.FTP:
        """Connect without logging in."""
        ftp: ftplib.FTP = ftplib.FTP_TLS(context=trusting()) if tls else ftplib.FTP()
        ftp.connect(self.host, self.port, timeout=20)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.auth()
        return ftp

    @contextmanager
    def collecting(self) -> Iterator[ftplib.FTP]:
        """Log in as READ."""
        with self.session(f"READ_{FIDUCIARY}", tls=True) as ftp:
            yield ftp


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate: what these tests are about is not trust."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def serving(
    home: Path,
    reached: Callable[[str], None] = lambda _: None,
    passwords: dict[str, str] | None = None,
    clock: Callable[[], float] = time.time,
    **settings: object,
) -> Iterator[Served]:
    """Run a server for a fiduciary with a READ, a WRITE and a WRITE account for dossier 000204."""
    server = Server(ServerSettings(home=home, port=0, **settings), clock, reached)  # type: ignore[arg-type]
    if passwords is None:
        passwords = server.accounts.add_fiduciary(FIDUCIARY) | server.accounts.add_dossier(FIDUCIARY, "000204")
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Served(server, home, passwords)
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes in hex."""
    return hashlib.sha256(data).hexdigest()
