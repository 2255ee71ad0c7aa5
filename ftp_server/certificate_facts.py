"""What a certificate says, and whether it can be used with its key; never makes or changes one."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from ftp_server.certificates import Certificate
from transfer.failures import PermanentFailure

SOON = 30
"""Days before its end from which a certificate is to be renewed."""


@dataclass(frozen=True)
class CertificateFacts:
    """What the first certificate of a chain says: ``fingerprint`` is its SHA-256 in hex, times are in UTC."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    self_signed: bool
    key: str
    not_before: datetime
    not_after: datetime
    fingerprint: str

    def days_left(self, now: float) -> int:
        """Return the whole days until it ends; negative when it has ended."""
        return (self.not_after - datetime.fromtimestamp(now, UTC)).days

    def covers(self, host: str) -> bool:
        """Tell whether it is for a host name or an address."""
        wanted = _plain(host)
        wildcard = "*." + wanted.partition(".")[2]
        return any(_plain(name) in {wanted, wildcard} for name in self.names)


def facts(chain: Path) -> CertificateFacts:
    """Return what the first certificate of a PEM file says.

    Raises ``certificate.no_file`` and ``certificate.not_readable``.
    """
    first = _chain(chain)[0]
    return CertificateFacts(
        subject=_common_name(first.subject),
        names=_names(first),
        issuer=_common_name(first.issuer),
        self_signed=first.subject == first.issuer,
        key=_kind(first.public_key()),
        not_before=first.not_valid_before_utc,
        not_after=first.not_valid_after_utc,
        fingerprint=first.fingerprint(hashes.SHA256()).hex(),
    )


def refuse_unfit(certificate: Certificate) -> None:
    """Refuse what TLS could not be spoken with, whatever the time: unreadable, locked, of another key, out of order.

    Raises ``certificate.…``.
    """
    for each in filter(None, (certificate, certificate.second)):
        chain = _chain(each.chain)
        if _public(chain[0].public_key()) != _public(_public_key(each.key)):
            raise PermanentFailure("certificate.other_key", file=str(each.chain), key=str(each.key))
        for lower, upper in pairwise(chain):
            try:
                lower.verify_directly_issued_by(upper)
            except (ValueError, TypeError, InvalidSignature):
                raise PermanentFailure("certificate.chain_broken", file=str(each.chain)) from None
    if certificate.second:
        kinds = [facts(each.chain).key.split()[0] for each in (certificate, certificate.second)]
        if kinds[0] == kinds[1]:
            raise PermanentFailure("certificate.same_kind", kind=kinds[0])


def refuse_out_of_date(certificate: Certificate, now: float) -> None:
    """Refuse a certificate that has ended or not begun: ``certificate.expired``, ``certificate.not_yet``."""
    for each in filter(None, (certificate, certificate.second)):
        said = facts(each.chain)
        if said.days_left(now) < 0:
            raise PermanentFailure("certificate.expired", file=str(each.chain), end=f"{said.not_after:%Y-%m-%d}")
        if said.not_before.timestamp() > now:
            raise PermanentFailure("certificate.not_yet", file=str(each.chain), start=f"{said.not_before:%Y-%m-%d}")


def _chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_content(path))
    except ValueError:
        raise PermanentFailure("certificate.not_readable", file=str(path)) from None


def _public_key(path: Path) -> PublicKeyTypes:
    try:
        return serialization.load_pem_private_key(_content(path), password=None).public_key()
    except TypeError:  # it has a password, which nobody could type at a restart
        raise PermanentFailure("certificate.key_locked", file=str(path)) from None
    except (ValueError, UnsupportedAlgorithm):
        raise PermanentFailure("certificate.key_not_readable", file=str(path)) from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PermanentFailure("certificate.no_file", file=str(path), why=error.strerror or "") from error


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def _kind(key: PublicKeyTypes) -> str:
    """Return a key's kind and size in words that need no language."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return "EdDSA" if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) else type(key).__name__


def _plain(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")
