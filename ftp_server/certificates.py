"""The server's certificate: its own, or a self-signed one made at first start; never sends a private key anywhere."""

import datetime
import ipaddress
import os
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from cryptography.x509.oid import NameOID

from ftp_server.protection import Protection

Key = ec.EllipticCurvePrivateKey | rsa_keys.RSAPrivateKey

_YEARS = 10
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True)
class Certificate:
    """A certificate chain and its key as PEM files; ``second`` has a key of another kind, for who needs that."""

    chain: Path
    key: Path
    second: "Certificate | None" = None

    def fingerprint(self) -> str:
        """Return the SHA-256 of the first certificate in hex, as client INIs pin it."""
        first = x509.load_pem_x509_certificate(self.chain.read_bytes())
        return first.fingerprint(hashes.SHA256()).hex()

    def protection(self) -> Protection:
        """Return what protects connections: TLS 1.2 and 1.3, forward secrecy only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        for each in filter(None, (self, self.second)):
            context.load_cert_chain(each.chain, each.key)
        return Protection(context)

    def old_protection(self) -> Protection:
        """Return what protects connections of printers that know TLS 1.0 only: better than nothing, and no more."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:!aNULL:!eNULL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is known
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.load_cert_chain(self.chain, self.key)
        return Protection(context)


def own_certificate(folder: Path, names: list[str], *, rsa: bool = False) -> Certificate:
    """Return the self-signed certificate kept in ``folder``; at first it is made for ``names`` (hosts, addresses).

    ``rsa``: another one, with an RSA key, for printers too old for elliptic curves.
    """
    stem = "old-printers" if rsa else "certificate"
    certificate = Certificate(folder / f"{stem}.pem", folder / f"{stem}.key")
    if not certificate.chain.exists():
        make_self_signed(certificate, names, rsa=rsa)
    return certificate


def make_self_signed(certificate: Certificate, names: list[str], *, rsa: bool = False) -> None:
    """Write a new self-signed certificate and its key to the paths of ``certificate``."""
    key = rsa_keys.generate_private_key(65_537, 2048) if rsa else ec.generate_private_key(ec.SECP256R1())
    _write(certificate.key, _key_pem(key), 0o600)
    _write(certificate.chain, _self_signed(key, names).public_bytes(serialization.Encoding.PEM), 0o644)


def _self_signed(key: Key, names: list[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        os.fsync(fd)
