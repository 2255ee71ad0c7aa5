"""A folder of an IMAP server, by UIDs only; never expunges what others have marked."""

import binascii
import contextlib
import imaplib
import re
from collections.abc import Sequence

from mail_intake.mailbox import (
    TIMEOUT,
    Access,
    Listed,
    check_pinned,
    failures,
    hang_up,
    refusal,
    tls_context,
    xoauth2,
)
from transfer.failures import PermanentFailure
from transfer.receipts import Receipt

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_MOST_AT_ONCE = 500  # numbers in one command: servers limit the length of a line


class ImapMailbox:
    """Opens a folder; refused with a ``mailbox.`` code."""

    def __init__(self, access: Access) -> None:
        self._access = access
        with failures(access):
            self._imap = _connected(access)
            try:
                check_pinned(access, self._imap.sock)
                self._log_in()
                self.generation = self._select()
            except BaseException:
                self._imap.shutdown()
                raise

    def listed(self) -> list[Listed]:
        """Return all messages, also those that are marked as deleted."""
        with failures(self._access):
            _, told = self._imap.uid("SEARCH", "ALL")
            numbers = sorted(int(number) for number in (told[0] or b"").split())
            found = []
            for at in range(0, len(numbers), _MOST_AT_ONCE):
                _, lines = self._imap.uid("FETCH", _set(numbers[at : at + _MOST_AT_ONCE]), "(UID RFC822.SIZE FLAGS)")
                for line in lines:
                    text = line[0] + line[1] if isinstance(line, tuple) else line or b""
                    uid, size = _UID.search(text), _SIZE.search(text)
                    if uid and size:
                        found.append(Listed(uid[1].decode(), int(size[1]), b"\\Deleted" in text))
            return found

    def fetch(self, numbers: Sequence[str]) -> list[tuple[str, bytes]]:
        """Return messages with their bytes, without marking them as read."""
        with failures(self._access):
            _, told = self._imap.uid("FETCH", ",".join(numbers), "(UID BODY.PEEK[])")
        found = []
        for at, line in enumerate(told):
            if isinstance(line, tuple):
                behind = told[at + 1] if at + 1 < len(told) and isinstance(told[at + 1], bytes) else b""
                uid = _UID.search(line[0]) or _UID.search(behind)
                if uid and uid[1].decode() in numbers:
                    found.append((uid[1].decode(), line[1]))
        return found

    def remove(self, receipts: Sequence[Receipt]) -> set[str]:
        """Remove or move messages by their UIDs; a server that could only expunge all that is marked is refused."""
        if not receipts:
            return set()
        numbers = [receipt.source for receipt in receipts]
        uids, to = ",".join(numbers), self._access.move_to
        with failures(self._access):
            capabilities = self._imap.capabilities
            if to is not None and "MOVE" in capabilities:
                self._done(self._imap.uid("MOVE", uids, _quoted(to)), "mailbox.no_folder", to)
            elif "UIDPLUS" in capabilities:
                if to is not None:
                    self._done(self._imap.uid("COPY", uids, _quoted(to)), "mailbox.no_folder", to)
                self._done(self._imap.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted)"), "mailbox.not_removed", "")
                self._done(self._imap.uid("EXPUNGE", uids), "mailbox.not_removed", "")
            else:
                raise PermanentFailure("mailbox.cannot_remove", host=self._access.host, port=self._access.port)
            _, told = self._imap.uid("SEARCH", "UID", uids)
        left = {number.decode() for number in (told[0] or b"").split()}
        return set(numbers) - left

    @property
    def can_wait(self) -> bool:
        """Whether the server tells of new messages by itself."""
        return "IDLE" in self._imap.capabilities

    def wait(self, seconds: float) -> bool:
        """Wait until the server tells of a new message; after so many seconds return False, the session being over."""
        imap = self._imap
        with failures(self._access):
            imap.sock.settimeout(seconds)
            tag = bytes(imap._new_tag())
            imap.send(tag + b" IDLE\r\n")
            try:
                while b" EXISTS" not in self._line():
                    pass
            except TimeoutError:  # a file that timed out can never be read again
                imap.shutdown()
                return False
            imap.sock.settimeout(TIMEOUT)
            imap.send(b"DONE\r\n")
            while not self._line().startswith(tag):
                pass
        return True

    def _line(self) -> bytes:
        line: bytes = self._imap.readline()
        if not line:
            raise EOFError
        return line

    def close(self) -> None:
        """Log out."""
        with contextlib.suppress(imaplib.IMAP4.error, OSError, ValueError):  # it may have been broken off, or closed
            self._imap.logout()
        with contextlib.suppress(OSError):
            self._imap.shutdown()

    def abandon(self) -> None:
        """Break the session off from another thread."""
        hang_up(self._imap.sock)

    def _log_in(self) -> None:
        try:
            if self._access.token is None:
                self._imap.login(self._access.user, self._access.password)
            else:  # asked a second time, it answers the server's explanation with nothing
                self._imap.authenticate("XOAUTH2", lambda told: b"" if told else xoauth2(self._access))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise refusal(self._access) from None
        self._imap._get_capabilities()  # they differ before and after the login

    def _select(self) -> str:
        self._done(self._imap.select(_quoted(self._access.folder)), "mailbox.no_folder", self._access.folder)
        told = self._imap.response("UIDVALIDITY")[1][0]
        if told is None:  # nothing could be recognised again
            raise PermanentFailure("mailbox.no_uidvalidity", host=self._access.host)
        return bytes(told).decode()

    @staticmethod
    def _done(told: tuple[str, Sequence[object]], code: str, folder: str) -> None:
        if told[0] != "OK":
            raise PermanentFailure(code, folder=folder)


def _connected(access: Access) -> imaplib.IMAP4:
    imaplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]  # the answer to a search is one line
    if access.security == "tls":
        context = tls_context(access)
        return imaplib.IMAP4_SSL(access.host, access.port, ssl_context=context, timeout=TIMEOUT)
    imap = imaplib.IMAP4(access.host, access.port, timeout=TIMEOUT)
    if access.security == "starttls":
        imap.starttls(tls_context(access))
    return imap


def _set(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _quoted(folder: str) -> str:
    """Return a folder's name as IMAP wants it: in its own UTF-7, in quotes."""
    coded, plain = [], re.split(r"([^\x20-\x7e]+)", folder)
    for place, piece in enumerate(plain):
        if place % 2:
            coded.append("&" + _base64(piece) + "-")
        else:
            coded.append(piece.replace("&", "&-"))
    return '"' + "".join(coded).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _base64(piece: str) -> str:
    return binascii.b2a_base64(piece.encode("utf-16-be")).rstrip(b"=\n").decode().replace("/", ",")
