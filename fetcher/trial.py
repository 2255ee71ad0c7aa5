"""Tries an FTP server as the firm and its clients use it, step by step; never touches a file that is not its own."""

import ftplib
import hashlib
import io
import re
import secrets
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transfer.client_ini import Connection
from transfer.failures import Failure, PermanentFailure
from transfer.fingerprints import measure_bytes
from transfer.ftp_session import FtpSession
from transfer.receipts import confirm

STEPS = ("trial.write_login", "trial.deposit", "trial.read_login", "trial.seen", "trial.read_back", "trial.removed")
"""What is tried, in this order; each rests on the one before."""

_TIMEOUT = 20.0
_NAME = re.compile(r"navette-essai-[0-9a-f]{16}\.txt")


@dataclass(frozen=True)
class Step:
    """One step: its code, and why it failed if it did; ``tried`` is False for those behind one that failed."""

    code: str
    tried: bool
    failure: Failure | None = None


def is_trial(path: str) -> bool:
    """Tell whether a file at a server is that of a trial, which no round takes for a document."""
    return _NAME.fullmatch(path.rpartition("/")[2]) is not None


def try_server(read: Connection, write: Connection) -> list[Step]:
    """Deposit a small file as WRITE, find it, read it back and remove it as READ; return how each step went."""
    trial = _Trial(read, write)
    told: list[Step] = []
    failed = False
    for code, step in trial.steps():
        if failed:
            told.append(Step(code, tried=False))
            continue
        try:
            step()
            told.append(Step(code, tried=True))
        except Failure as failure:
            failed = True
            told.append(Step(code, tried=True, failure=failure))
    trial.end()
    return told


def certificate_of(connection: Connection) -> str | None:
    """Return the SHA-256 of the certificate a server shows, None for one that shows none; nobody logs in."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with ftplib.FTP_TLS(context=context, timeout=_TIMEOUT) as asked:
            asked.connect(connection.host, connection.port)
            asked.auth()
            assert isinstance(asked.sock, ssl.SSLSocket)
            shown = asked.sock.getpeercert(binary_form=True)
    except (OSError, EOFError, ftplib.Error, ValueError):
        return None
    return hashlib.sha256(shown).hexdigest() if shown else None


class _Trial:
    """The two sessions of a trial, and the file between them."""

    def __init__(self, read: Connection, write: Connection) -> None:
        self._read, self._write = FtpSession(read, _TIMEOUT), FtpSession(write, _TIMEOUT)
        self._open: list[FtpSession] = []
        # longer than what a server may take for a device's own probe, which it holds back
        self._content = "".join(f"Navette {secrets.token_hex(16)}\r\n" for _ in range(20)).encode()
        self._path = f"/navette-essai-{secrets.token_hex(8)}.txt"

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each step's code and what it does."""
        deeds = (
            self._log_in_to_write,
            self._deposit,
            self._log_in_to_read,
            self._see,
            self._read_back,
            self._take_away,
        )
        return zip(STEPS, deeds, strict=True)

    def end(self) -> None:
        """Close what is open."""
        for session in self._open:
            session.close()

    def _log_in_to_write(self) -> None:
        self._open.append(self._write.__enter__())

    def _deposit(self) -> None:
        self._path = self._write.store(io.BytesIO(self._content), self._path, len(self._content)).path

    def _log_in_to_read(self) -> None:
        self._open.append(self._read.__enter__())

    def _see(self) -> None:
        if all(file.path != self._path for file in self._read.walk(depth=0)):
            raise PermanentFailure("trial.not_seen", path=self._path)

    def _read_back(self) -> None:
        found = io.BytesIO()
        self._read.retrieve(self._path, found)
        if found.getvalue() != self._content:
            raise PermanentFailure("trial.other_bytes", path=self._path)

    def _take_away(self) -> None:
        mine = measure_bytes(self._content)
        self._read.remove(confirm(self._path, mine, mine, self._path))
