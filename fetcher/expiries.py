"""Finds out when the certificates of the servers end that the firm collects from; never judges or trusts one by it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from cryptography import x509

from dossiers import mailboxes
from dossiers.firm import Firm
from dossiers.ftp_access import read_connections
from transfer.client_ini import Security
from transfer.failures import Failure
from transfer.ftp_session import FtpSession

_TIMEOUT = 15.0


def certificate_ends(firm: Firm) -> dict[str, datetime | None]:
    """Return when the certificate of each server ends; None where it could not be looked at."""
    return {server: _end(certificate) for server, certificate in [*_of_ftp(firm), *_of_mailboxes(firm)]}


def _end(certificate: bytes | None) -> datetime | None:
    try:
        return x509.load_der_x509_certificate(certificate).not_valid_after_utc if certificate else None
    except ValueError:  # nothing a date could be read from: the round that meets it says what is wrong
        return None


def _of_ftp(firm: Firm) -> Iterator[tuple[str, bytes | None]]:
    if not firm.settings.switch("service.ftp"):
        return
    try:
        connections = read_connections(firm)
    except Failure:  # not set up yet
        return
    for connection in connections.values():
        if connection.security is Security.TLS:
            certificate = None
            with suppress(Failure), FtpSession(connection, _TIMEOUT) as session:  # the source's own rounds tell
                certificate = session.certificate
            yield f"{connection.host}:{connection.port}", certificate


def _of_mailboxes(firm: Firm) -> Iterator[tuple[str, bytes | None]]:
    """Look at mailboxes that speak TLS from the first byte on; nothing is sent there, so nothing need be verified."""
    if firm.settings.switch("service.mail"):
        boxes = [box for box in mailboxes.every(firm) if box.active and box.host and box.security == "tls"]
        for host, port in sorted({(box.host, box.port) for box in boxes}):
            yield f"{host}:{port}", _shown(host, port)


def _shown(host: str, port: int) -> bytes | None:
    """Return the certificate that a server shows, if it shows one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate = None
    with (
        suppress(OSError),
        socket.create_connection((host, port), _TIMEOUT) as raw,
        context.wrap_socket(raw) as connection,
    ):
        certificate = connection.getpeercert(binary_form=True)
    return certificate
