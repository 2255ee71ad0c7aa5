"""What a round asks of a mailbox, whichever protocol it speaks, and its TLS; never decides what is removed."""

import contextlib
import hashlib
import imaplib
import poplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.receipts import Receipt

TIMEOUT = 60.0


@dataclass(frozen=True)
class Access:
    """Where a mailbox is and who asks: ``kind`` is imap or pop3, ``security`` tls, starttls or none.

    With a ``token`` the login is XOAUTH2, else by password.

    ``fingerprint`` is the SHA-256 of the server's certificate in hex, which then replaces the authorities;
    ``authority`` is a file with the certificate of one's own authority. With ``move_to``, messages that are removed go
    to that folder instead.
    """

    kind: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    folder: str = "INBOX"
    security: str = "tls"
    fingerprint: str | None = None
    authority: str | None = None
    move_to: str | None = None


@dataclass(frozen=True)
class Listed:
    """A message in the mailbox: its number there, which never means another, and its size in bytes as told.

    One that is ``marked`` as deleted is there until someone expunges it.
    """

    number: str
    size: int
    marked: bool = False


class Mailbox(Protocol):
    """An open mailbox. Failures have ``mailbox.`` codes."""

    generation: str
    """A number means the same message only within one generation (IMAP's UIDVALIDITY)."""

    def listed(self) -> list[Listed]:
        """Return the messages that are there, oldest first."""

    def fetch(self, numbers: Sequence[str]) -> list[tuple[str, bytes]]:
        """Return messages with their bytes, as far as they are still there; none is marked as read."""

    def remove(self, receipts: Sequence[Receipt]) -> set[str]:
        """Remove messages against their receipts, or move them away; return the numbers that are gone."""

    def close(self) -> None:
        """End the session; what was not removed stays."""

    def abandon(self) -> None:
        """Break the session off from another thread: whoever waits in it gets ``mailbox.interrupted`` or the like."""


def tls_context(access: Access) -> ssl.SSLContext:
    """Return a context that verifies the server by the authorities, or leaves that to :func:`check_pinned`."""
    try:
        context = ssl.create_default_context(cafile=access.authority or None)
    except OSError:
        raise PermanentFailure("mailbox.no_authority", file=access.authority) from None
    if access.fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def check_pinned(access: Access, connection: socket.socket) -> None:
    """Refuse a server whose certificate is not the pinned one; called before anyone logs in."""
    if access.fingerprint and isinstance(connection, ssl.SSLSocket):
        certificate = connection.getpeercert(binary_form=True) or b""
        if hashlib.sha256(certificate).hexdigest() != access.fingerprint:
            raise PermanentFailure("mailbox.fingerprint_differs", host=access.host, port=access.port)


def xoauth2(access: Access) -> bytes:
    """Return what a login by token says."""
    return f"user={access.user}\x01auth=Bearer {access.token}\x01\x01".encode()


def refusal(access: Access) -> PermanentFailure:
    """Return the failure of a login that the server refuses."""
    code = "mailbox.refused" if access.token is None else "mailbox.token_refused"
    return PermanentFailure(code, host=access.host, user=access.user)


def hang_up(connection: socket.socket | None) -> None:
    """Break a connection off while another thread waits in it."""
    if connection is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # a TLS socket's own would forget its TLS meanwhile


@contextlib.contextmanager
def failures(access: Access) -> Iterator[None]:
    """Turn what the network and the server do into ``mailbox.`` failures."""
    where: dict[str, str | int] = {"host": access.host, "port": access.port}
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise PermanentFailure("mailbox.certificate", why=error.verify_message, **where) from None
    except ssl.SSLError as error:
        raise TemporaryFailure("mailbox.no_tls", why=error.reason or "", **where) from None
    except (imaplib.IMAP4.abort, EOFError) as error:
        raise TemporaryFailure("mailbox.interrupted", **where) from error
    except (imaplib.IMAP4.error, poplib.error_proto) as error:
        if error.args == ("-ERR EOF",):  # poplib's word for a server that hung up
            raise TemporaryFailure("mailbox.interrupted", **where) from error
        raise TemporaryFailure("mailbox.refused_command", why=str(error)[:200], **where) from error
    except OSError as error:
        raise TemporaryFailure("mailbox.unreachable", **where) from error
