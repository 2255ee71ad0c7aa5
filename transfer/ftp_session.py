"""One connection to any FTP or FTPS server, with failures that have codes; never decides what to send or remove."""

import contextlib
import ftplib
import hashlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

from transfer.client_ini import Connection, Security
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.fingerprints import BLOCK, Fingerprint, Measure
from transfer.receipts import Receipt

TIMEOUT = 60.0
"""Seconds without an answer or a byte after which the server counts as gone."""

_TOLD_NAME = re.compile(r'"((?:[^"]|"")+)"')


@dataclass(frozen=True)
class RemoteFile:
    """A file as a server lists it: path from the root, size in bytes, time of change (YYYYMMDDHHMMSS) if told."""

    path: str
    size: int | None
    modified: str | None


@dataclass(frozen=True)
class Stored:
    """A server's answer to a deposit: the bytes sent, and the path it says it stored them under."""

    sent: Fingerprint
    path: str
    name_told: bool


class FtpSession:
    """A logged-in session, for a ``with`` block. Every method raises a :class:`Failure` with a ``session.`` code."""

    def __init__(self, connection: Connection, timeout: float = TIMEOUT) -> None:
        self._connection = connection
        self._where: dict[str, str | int | None] = {"host": connection.host, "port": connection.port}
        self._ftp = _Tls(connection, timeout) if connection.security is Security.TLS else _Plain(timeout=timeout)
        self._features: frozenset[str] | None = None

    def __enter__(self) -> Self:
        with self._failures():
            try:
                self._open()
            except BaseException:
                self._ftp.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye if the server still listens, and close."""
        with contextlib.suppress(*ftplib.all_errors):
            self._ftp.quit()
        self._ftp.close()

    def abandon(self) -> None:
        """Close at once from any thread; a transfer that runs ends with ``session.interrupted``."""
        for sock in (self._ftp.data_socket, self._ftp.sock):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    @property
    def features(self) -> frozenset[str]:
        """The server's FEAT lines, upper case, asked once."""
        if self._features is None:
            with self._failures():
                try:
                    lines = self._ftp.sendcmd("FEAT").splitlines()[1:-1]
                except ftplib.error_perm:
                    lines = []
            self._features = frozenset(line.strip().upper() for line in lines)
        return self._features

    @property
    def is_navette(self) -> bool:
        """Whether the server is Navette's own, which publishes only whole files and keeps every name."""
        return "NAVETTE" in self.features

    def store(
        self, source: BinaryIO, path: str, size: int | None = None, progress: Callable[[int], None] = lambda _: None
    ) -> Stored:
        """Deposit a file under ``path`` and return what the server answered; ``progress`` gets bytes sent so far.

        An exception from ``progress`` breaks the transfer off so that the server cannot take it for a whole file.
        """
        measured = Measure()
        with self._failures():
            if size is not None:
                with contextlib.suppress(ftplib.error_perm):
                    self._ftp.sendcmd(f"ALLO {size}")
            self._ftp.voidcmd("TYPE I")
            data = self._ftp.ntransfercmd(f"STOR {path}")[0]
            try:
                while block := source.read(BLOCK):
                    self._send(data, block)
                    measured.add(block)
                    progress(measured.size)
            except BaseException:
                _reset(data)
                raise
            _finish(data)
            reply = self._ftp.voidresp()
        told = _TOLD_NAME.search(reply)
        return Stored(measured.fingerprint(), told[1].replace('""', '"') if told else path, told is not None)

    def retrieve(self, path: str, target: BinaryIO) -> Fingerprint:
        """Write a remote file's bytes to ``target`` and return their fingerprint."""
        measured = Measure()
        with self._failures():
            self._ftp.voidcmd("TYPE I")
            data = self._ftp.ntransfercmd(f"RETR {path}")[0]
            try:
                while block := data.recv(BLOCK):
                    target.write(block)
                    measured.add(block)
            except BaseException:
                _reset(data)
                raise
            _finish(data)
            self._ftp.voidresp()
        return measured.fingerprint()

    def fingerprint(self, path: str) -> Fingerprint:
        """Return what the server tells of a file it holds: SHA-256 (XSHA256), else SIZE, else nothing."""
        return Fingerprint(self.size(path), self.sha256(path))

    def size(self, path: str) -> int | None:
        """Return a remote file's size in bytes, or None when the server does not tell."""
        with self._failures():
            try:
                return self._ftp.size(path)
            except (ftplib.error_perm, ValueError):
                return None

    def sha256(self, path: str) -> str | None:
        """Return a remote file's SHA-256 in hex, or None when the server does not tell."""
        if not any(feature.startswith("XSHA256") for feature in self.features):
            return None
        with self._failures():
            try:
                words = self._ftp.sendcmd(f"XSHA256 {path}").split()
            except ftplib.error_perm:
                return None
        return next((word.lower() for word in words if re.fullmatch("[0-9A-Fa-f]{64}", word)), None)

    def modified(self, path: str) -> str | None:
        """Return a remote file's time of change as YYYYMMDDHHMMSS, or None when the server does not tell."""
        with self._failures():
            try:
                return self._ftp.sendcmd(f"MDTM {path}")[4:].strip()[:14] or None
            except ftplib.error_perm:
                return None

    def walk(self, folder: str = "/", depth: int = 8) -> Iterator[RemoteFile]:
        """Yield all files below ``folder``; names with control characters or slashes are left out as forged."""
        for path, is_folder, size, modified in self._entries(folder):
            if not is_folder:
                yield RemoteFile(path, size, modified)
            elif depth > 0:
                yield from self.walk(path, depth - 1)

    def make_folder(self, path: str) -> None:
        """Make a folder; one that exists already is as good."""
        with self._failures(), contextlib.suppress(ftplib.error_perm):
            self._ftp.mkd(path)

    def remove(self, receipt: Receipt) -> None:
        """Remove the remote file a receipt was made for; one that is gone already is as good."""
        with self._failures():
            try:
                self._ftp.delete(receipt.source)
            except ftplib.error_perm:
                if self._ftp.size(receipt.source) is not None:
                    raise

    def remove_all(self, receipts: list[Receipt]) -> list[Receipt]:
        """Remove many remote files with their commands sent ahead; return the receipts of those that are gone."""
        removed = []
        with self._failures():
            if self._ftp.sock is None:
                raise EOFError
            lines = [f"DELE {self._ftp.checked(receipt.source)}\r\n" for receipt in receipts]
            self._ftp.sock.sendall("".join(lines).encode(self._ftp.encoding))
            for receipt in receipts:
                try:
                    self._ftp.voidresp()
                    removed.append(receipt)
                except ftplib.error_perm:
                    continue
        return removed

    def _send(self, data: socket.socket, block: bytes) -> None:
        """Send a block; when the server closes in the middle, its reply says why better than the broken pipe."""
        try:
            data.sendall(block)
        except ConnectionError:
            _reset(data)
            self._ftp.voidresp()
            raise

    def _open(self) -> None:
        connection = self._connection
        self._ftp.connect(connection.host, connection.port)
        if isinstance(self._ftp, _Tls):
            self._ftp.auth()
        self._ftp.set_pasv(connection.passive)
        try:
            self._ftp.login(connection.user, connection.password)
        except ftplib.error_perm as error:
            raise PermanentFailure("session.login_refused", user=connection.user, **self._where) from error
        if isinstance(self._ftp, _Tls):
            self._ftp.prot_p()
        if "UTF8" not in self.features:
            self._ftp.encoding = "utf-8"

    def _entries(self, folder: str) -> Iterator[tuple[str, bool, int | None, str | None]]:
        with self._failures():
            if any(feature.startswith(("MLSD", "MLST")) for feature in self.features):
                found = self._machine_listing(folder)
            else:
                found = self._plain_listing(folder)
        for name, is_folder, size, modified in found:
            if _honest(name):
                yield f"{folder.rstrip('/')}/{name}", is_folder, size, modified

    def _machine_listing(self, folder: str) -> list[tuple[str, bool, int | None, str | None]]:
        found = []
        for name, facts in self._ftp.mlsd(folder):
            kind = facts.get("type", "").lower()
            if kind in {"file", "dir"}:
                size = facts.get("size", "")
                found.append((name, kind == "dir", int(size) if size.isdigit() else None, facts.get("modify", "")[:14]))
        return [(name, is_folder, size, modified or None) for name, is_folder, size, modified in found]

    def _plain_listing(self, folder: str) -> list[tuple[str, bool, int | None, str | None]]:
        """List on servers without MLSD: names by NLST, then the kind from a unix-style LIST of the same folder."""
        lines: list[str] = []
        self._ftp.retrlines(f"LIST {folder}", lines.append)
        found = []
        for line in lines:
            parts = line.split(maxsplit=8)
            if len(parts) == 9 and line[:1] in {"-", "d"}:
                size = int(parts[4]) if parts[4].isdigit() else None
                path = f"{folder.rstrip('/')}/{parts[8]}"
                modified = self.modified(path) if line[0] == "-" else None
                found.append((parts[8], line[0] == "d", size, modified))
        return found

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what ftplib, ssl and sockets raise into failures with codes."""
        try:
            yield
        except Failure:
            raise
        except ssl.SSLCertVerificationError as error:
            raise PermanentFailure("session.certificate_refused", **self._where) from error
        except ftplib.error_perm as error:
            raise _refusal(str(error), self._where) from error
        except ftplib.error_temp as error:
            raise TemporaryFailure("session.busy", reply=str(error)[:3], **self._where) from error
        except (socket.gaierror, UnicodeError) as error:
            raise TemporaryFailure("session.unknown_host", **self._where) from error
        except (OSError, EOFError, ftplib.Error) as error:
            code = "session.interrupted" if self._ftp.welcome else "session.unreachable"
            raise TemporaryFailure(code, **self._where) from error


class _Plain(ftplib.FTP):
    """ftplib with sockets that send at once and a data socket that another thread can close."""

    data_socket: socket.socket | None = None

    def connect(
        self, host: str = "", port: int = 0, timeout: float = -999, source_address: tuple[str, int] | None = None
    ) -> str:
        self.welcome = ""
        reply = super().connect(host, port, timeout, source_address)
        assert self.sock is not None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = super().ntransfercmd(cmd, rest)
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data_socket = data
        return data, size

    def checked(self, path: str) -> str:
        """Refuse a path that would end its command line early."""
        if "\r" in path or "\n" in path:
            raise ValueError("a path holds a line end")
        return path


class _Tls(_Plain, ftplib.FTP_TLS):
    """Explicit FTPS that trusts exactly the pinned certificate, or else what the system trusts."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._pinned = connection.fingerprint
        context = ssl.create_default_context()
        if self._pinned:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        ftplib.FTP_TLS.__init__(self, context=context, timeout=timeout)

    def auth(self) -> str:
        reply = super().auth()
        self._check(self.sock)
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        try:
            data = self.context.wrap_socket(data, server_hostname=self.host, session=session)
            self._check(data)
        except BaseException:
            data.close()
            raise
        self.data_socket = data
        return data, size

    def _check(self, sock: object) -> None:
        if self._pinned and isinstance(sock, ssl.SSLSocket):
            shown = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
            if shown != self._pinned:
                raise PermanentFailure("session.fingerprint_differs", host=self.host, port=self.port)


def _finish(data: socket.socket) -> None:
    """Close a data connection so that the other side knows the bytes are complete (TLS: with its closing message)."""
    if isinstance(data, ssl.SSLSocket):
        with contextlib.suppress(OSError):  # a server that does not answer the closing message has still received it
            data.unwrap()
    data.close()


def _reset(data: socket.socket) -> None:
    """Break a data connection off so that the other side cannot take what came for a whole file."""
    with contextlib.suppress(OSError):
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    data.close()


def _refusal(reply: str, where: dict[str, str | int | None]) -> Failure:
    if reply.startswith("552"):
        return TemporaryFailure("session.full", **where)
    return PermanentFailure("session.refused", reply=reply[:3], **where)


def _honest(name: str) -> bool:
    return name not in {".", "..", ""} and not any(ord(character) < 32 or character == "/" for character in name)
