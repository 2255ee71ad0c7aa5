"""One connection to any FTP or FTPS server, with failures that have codes; never decides what to send or remove."""

import contextlib
import ftplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Self

from transfer.client_ini import Connection, Security
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.fingerprints import BLOCK, Fingerprint, Measure, blocks
from transfer.following import Followed, followed
from transfer.ftp_listing import Listed, Sender, from_facts, from_list
from transfer.ftp_wire import PlainWire, TlsWire, finish, reset
from transfer.receipts import Receipt

TIMEOUT = 60.0
"""Seconds without an answer or a byte after which the server counts as gone."""

_BROKEN_OFF_SECONDS = 3.0  # some servers answer nothing to a transfer that ended before they had accepted it
_SENT_AHEAD = 64  # commands of one bundle; its replies must fit the buffers between both sides
_UNTOLD = Fingerprint(None, None)
_TOLD_BYTES = re.compile(r'", (\d{1,18}) bytes, SHA-256 ([0-9a-f]{64})\.$')
_TOLD_NAME = re.compile(r'"((?:[^"\r\n]|"")+)"')


@dataclass(frozen=True)
class RemoteFile:
    """A file as a server lists it: path from the root, bytes, time of change (YYYYMMDDHHMMSS), sender, if told."""

    path: str
    size: int | None
    modified: str | None
    sender: Sender | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Stored:
    """A server's answer to a deposit: the bytes sent, the path it stored them under, and what it tells of them there.

    Only Navette's own server tells size and SHA-256 in its 226; no more need then be asked.
    """

    sent: Fingerprint
    path: str
    told: Fingerprint = _UNTOLD


class FtpSession:
    """A logged-in session, for a ``with`` block.

    What the server or the network does wrong is a :class:`Failure` with a ``session.`` code. What goes wrong with a
    local file or in a callback passes as it is; the session goes on if the server answers to the broken transfer.
    """

    def __init__(self, connection: Connection, timeout: float = TIMEOUT) -> None:
        self._connection = connection
        self._where: dict[str, str | int | None] = {"host": connection.host, "port": connection.port}
        self._ftp = TlsWire(connection, timeout) if connection.security is Security.TLS else PlainWire(timeout)
        self._features: frozenset[str] | None = None
        self._lost = False

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
        if not self._lost:
            with contextlib.suppress(*ftplib.all_errors):
                self._ftp.quit()
        self._ftp.close()

    def abandon(self) -> None:
        """Close at once from any thread; a transfer that runs ends with ``session.interrupted``."""
        self._lost = True
        self._ftp.break_off()

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

    @property
    def certificate(self) -> bytes | None:
        """The server's certificate in DER, or None without TLS."""
        return self._ftp.sock.getpeercert(binary_form=True) if isinstance(self._ftp.sock, ssl.SSLSocket) else None

    def store(
        self, source: BinaryIO, path: str, size: int | None = None, progress: Callable[[int], None] = lambda _: None
    ) -> Stored:
        """Deposit a file under ``path`` and return what the server answered; ``progress`` gets bytes sent so far.

        An exception from ``source`` or ``progress`` breaks the transfer off so that the server cannot take it for a
        whole file.
        """
        measured = Measure()
        with self._failures():
            self._ftp.binary()
            if size is not None:
                self._ftp.announce(f"ALLO {size}")
            data = self._ftp.transfercmd(f"STOR {path}")
        with self._broken_off_on_error(data):
            for block in blocks(source):
                with _over_the_wire():
                    data.sendall(block)
                measured.add(block)
                progress(measured.size)
        with self._failures():
            finish(data)
            reply = self._ftp.voidresp()
        told = _TOLD_NAME.search(reply)
        stored_as = _beside(path, told[1].replace('""', '"')) if told else path
        known = _TOLD_BYTES.search(reply) if self.is_navette else None
        return Stored(measured.fingerprint(), stored_as, Fingerprint(int(known[1]), known[2]) if known else _UNTOLD)

    def retrieve(self, path: str, target: BinaryIO) -> Fingerprint:
        """Write a remote file's bytes to ``target`` and return their fingerprint."""
        measured = Measure()
        with self._failures():
            self._ftp.binary()
            data = self._ftp.transfercmd(f"RETR {path}")
        with self._broken_off_on_error(data):
            while block := _received(data):
                target.write(block)
                measured.add(block)
        with self._failures():
            finish(data)
            self._ftp.voidresp()
        return measured.fingerprint()

    def fingerprint(self, path: str) -> Fingerprint:
        """Return what the server tells of a file it holds: SHA-256 (XSHA256), else SIZE, else nothing."""
        if not self._tells_hashes:
            return Fingerprint(self.size(path), None)
        with self._failures():
            self._ftp.binary()
        size, sha256 = self._sent_ahead([f"SIZE {path}", f"XSHA256 {path}"])
        return Fingerprint(_size(size), _hash(sha256))

    def size(self, path: str) -> int | None:
        """Return a remote file's size in bytes, or None when the server does not tell (or has no such file)."""
        with self._failures():
            self._ftp.binary()
            try:
                return self._ftp.size(path)
            except (ftplib.error_perm, ValueError):
                return None

    def sha256(self, path: str) -> str | None:
        """Return a remote file's SHA-256 in hex, or None when the server does not tell."""
        return self.hashes([path])[0]

    def hashes(self, paths: list[str]) -> list[str | None]:
        """Return the SHA-256 of many remote files as :meth:`sha256` does, with the commands sent ahead."""
        if not self._tells_hashes:
            return [None] * len(paths)
        return [_hash(reply) for reply in self._sent_ahead([f"XSHA256 {path}" for path in paths])]

    def follow(self, hashes: list[str]) -> list[list[Followed]]:
        """Return what Navette's server knows of this account's documents with each SHA-256, newest first."""
        replies = self._sent_ahead([f"SITE RECEIPT {sha256}" for sha256 in hashes])
        return [followed(reply or "") for reply in replies]

    def modified(self, path: str) -> str | None:
        """Return a remote file's time of change as YYYYMMDDHHMMSS, or None when the server does not tell."""
        with self._failures():
            try:
                return _time(self._ftp.sendcmd(f"MDTM {path}"))
            except ftplib.error_perm:
                return None

    def look_again(self, paths: list[str]) -> list[RemoteFile]:
        """Return size and time of change of many remote files, with the commands sent ahead; None where not told."""
        with self._failures():
            self._ftp.binary()
        sizes = self._sent_ahead([f"SIZE {path}" for path in paths])
        times = self._sent_ahead([f"MDTM {path}" for path in paths])
        told = zip(paths, sizes, times, strict=True)
        return [RemoteFile(path, _size(size), _time(time)) for path, size, time in told]

    def walk(self, folder: str = "/", depth: int = 8) -> Iterator[RemoteFile]:
        """Yield all files below ``folder``; names with line ends or slashes are left out as forged."""
        listed = self._listed(folder)
        files = [one for one in listed if not one.is_folder]
        yield from self._timed(
            [RemoteFile(_join(folder, one.name), one.size, one.modified, one.sender) for one in files]
        )
        for one in listed:
            if one.is_folder and depth > 0:
                yield from self.walk(_join(folder, one.name), depth - 1)

    def make_folder(self, path: str) -> None:
        """Make a folder; one that exists already is as good."""
        with self._failures(), contextlib.suppress(ftplib.error_perm):
            self._ftp.mkd(path)

    def rename(self, path: str, new_path: str) -> None:
        """Give a remote file another path; ``session.refused`` where the server or the account does not allow it."""
        with self._failures():
            self._ftp.rename_ahead(path, new_path)

    def remove(self, receipt: Receipt) -> None:
        """Remove the remote file a receipt was made for; one that is gone already is as good."""
        with self._failures():
            try:
                self._ftp.delete(receipt.source)
            except ftplib.error_perm:
                if not self._is_gone(receipt):
                    raise

    def remove_all(self, receipts: list[Receipt]) -> list[Receipt]:
        """Remove many remote files with their commands sent ahead; return the receipts of those that are gone."""
        replies = self._sent_ahead([f"DELE {receipt.source}" for receipt in receipts])
        return [
            receipt
            for receipt, reply in zip(receipts, replies, strict=True)
            if reply is not None or self._is_gone(receipt)
        ]

    @property
    def _tells_hashes(self) -> bool:
        return any(feature.startswith("XSHA256") for feature in self.features)

    def _is_gone(self, receipt: Receipt) -> bool:
        """Tell whether the server, which can tell sizes, no longer knows this file."""
        return "SIZE" in self.features and self.size(receipt.source) is None

    def _sent_ahead(self, commands: list[str]) -> list[str | None]:
        """Return the replies to many commands that do not wait for each other, None for each that is refused."""
        replies: list[str | None] = []
        for start in range(0, len(commands), _SENT_AHEAD):
            bundle = commands[start : start + _SENT_AHEAD]
            with self._failures():
                self._ftp.send_ahead(bundle)
                for _ in bundle:
                    try:
                        replies.append(self._ftp.voidresp())
                    except (ftplib.error_perm, ftplib.error_temp):
                        replies.append(None)
        return replies

    def _open(self) -> None:
        connection = self._connection
        self._ftp.connect(connection.host, connection.port)
        if isinstance(self._ftp, TlsWire):
            self._ftp.auth()
        self._ftp.set_pasv(connection.passive)
        try:
            self._ftp.login(connection.user, connection.password)
        except ftplib.error_perm:  # its reply is not kept: a server may repeat what was typed
            raise PermanentFailure("session.login_refused", user=connection.user, **self._where) from None
        if isinstance(self._ftp, TlsWire):
            self._ftp.prot_p()
        if "UTF8" in self.features:
            with contextlib.suppress(ftplib.error_perm):  # most do UTF-8 always and some do not know the command
                self._ftp.sendcmd("OPTS UTF8 ON")

    def _listed(self, folder: str) -> list[Listed]:
        with self._failures():
            if any(feature.startswith(("MLSD", "MLST")) for feature in self.features):
                found = map(from_facts, self._ftp.lines(f"MLSD {folder}"))
            else:
                found = map(from_list, self._ftp.lines(f"LIST {folder}"))
        return [listed for listed in found if listed and _honest(listed.name)]

    def _timed(self, files: list[RemoteFile]) -> list[RemoteFile]:
        """Ask for the times of change that a listing did not tell."""
        unknown = [file.path for file in files if file.modified is None]
        replies = dict(zip(unknown, self._sent_ahead([f"MDTM {path}" for path in unknown]), strict=True))
        return [replace(file, modified=_time(replies.get(file.path)) or file.modified) for file in files]

    @contextlib.contextmanager
    def _broken_off_on_error(self, data: socket.socket) -> Iterator[None]:
        """Break a transfer off on any error, and take the server's answer to it so that no later command gets it."""
        try:
            yield
        except _ConnectionLost as lost:
            reset(data)
            if isinstance(lost.reason, TimeoutError):
                self.abandon()
            with self._failures():
                self._ftp.voidresp()  # says why the server closed, better than a broken pipe
                raise lost.reason from None
        except BaseException:
            reset(data)
            try:
                self._ftp.patience(_BROKEN_OFF_SECONDS)
                self._ftp.getmultiline()
                self._ftp.patience(self._ftp.timeout)
            except ftplib.all_errors:
                self.abandon()
            raise

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what ftplib, ssl and sockets raise into failures with codes."""
        try:
            yield
        except Failure:
            raise
        except ssl.SSLCertVerificationError as error:
            raise PermanentFailure("session.certificate_refused", **self._where) from error
        except (ftplib.error_perm, ftplib.error_temp) as error:
            raise _refusal(str(error), self._where) from error
        except (socket.gaierror, UnicodeError) as error:
            raise TemporaryFailure("session.unknown_host", **self._where) from error
        except (OSError, EOFError, ftplib.Error, ValueError) as error:
            self._lost = True
            code = "session.interrupted" if self._ftp.welcome else "session.unreachable"
            raise TemporaryFailure(code, **self._where) from error


class _ConnectionLost(Exception):
    """A data connection broke; ``reason`` is what the socket said."""

    def __init__(self, reason: OSError) -> None:
        super().__init__()
        self.reason = reason


@contextlib.contextmanager
def _over_the_wire() -> Iterator[None]:
    """Tell a broken data connection from a local file that cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise _ConnectionLost(error) from error


def _received(data: socket.socket) -> bytes:
    with _over_the_wire():
        return data.recv(BLOCK)


def _refusal(reply: str, where: dict[str, str | int | None]) -> Failure:
    if reply.startswith(("452", "552")):
        return TemporaryFailure("session.full", **where)
    if reply.startswith("4"):
        return TemporaryFailure("session.busy", reply=reply[:3], **where)
    return PermanentFailure("session.refused", reply=reply[:3], **where)


def _hash(reply: str | None) -> str | None:
    return next((word.lower() for word in (reply or "").split() if re.fullmatch("[0-9A-Fa-f]{64}", word)), None)


def _size(reply: str | None) -> int | None:
    digits = reply[4:].strip() if reply else ""
    return int(digits) if re.fullmatch("[0-9]{1,18}", digits) else None


def _time(reply: str | None) -> str | None:
    return reply[4:].strip()[:14] or None if reply else None


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _beside(path: str, told: str) -> str:
    """Return the path of a name that the server told without its folder."""
    return told if told.startswith("/") else path.rpartition("/")[0] + "/" + told


def _honest(name: str) -> bool:
    return name not in {".", "..", ""} and not any(character in name for character in "/\r\n\0")
