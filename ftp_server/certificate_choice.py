"""Which certificate a server uses: the one its settings name, or one of its own; never how it is used."""

import time
from datetime import UTC, datetime
from pathlib import Path

from ftp_server import server_ini
from ftp_server.certificate_facts import facts, refuse_out_of_date, refuse_unfit
from ftp_server.certificates import Certificate, make_self_signed, own_certificate
from ftp_server.home import give_to_owner, make_home
from ftp_server.server_ini import HostSettings
from transfer.failures import PermanentFailure


def chosen(home: Path, names: list[str]) -> Certificate:
    """Return the certificate that ``server.ini`` names, else the server's own, made for ``names`` when it is missing.

    Raises ``server_ini.…`` and ``certificate.…``: what is returned can be used.
    """
    certificate = named(server_ini.read(home)) or own_certificate(home, names)
    refuse_unfit(certificate)
    return certificate


def named(settings: HostSettings) -> Certificate | None:
    """Return the certificate of the settings. Of two, the one with an elliptic curve is the first.

    Programs of today ask for that one, so its fingerprint is what they see.
    """
    if not settings.certificate or not settings.key:
        return None
    one = Certificate(settings.certificate, settings.key)
    if not settings.certificate2 or not settings.key2:
        return one
    other = Certificate(settings.certificate2, settings.key2)
    if facts(one.chain).key.startswith("RSA"):
        one, other = other, one
    return Certificate(one.chain, one.key, other)


def present(home: Path) -> Certificate | None:
    """Return the certificate a server would use, None when its own will be made at its first start."""
    own = Certificate(home / "certificate.pem", home / "certificate.key")
    return named(server_ini.read(home)) or (own if own.chain.exists() else None)


def names_of(settings: HostSettings) -> list[str]:
    """Return the names a self-signed certificate is made for."""
    return own_names(settings.public_address, settings.host)


def own_names(public_address: str | None, host: str) -> list[str]:
    """Return the names for which a server makes a certificate of its own."""
    return list(dict.fromkeys(filter(None, [public_address, host, "localhost"])))


def use(home: Path, pairs: list[tuple[Path, Path]], now: float) -> Certificate:
    """Note one or two certificates with their keys in ``server.ini`` once they are known to fit and to be in date."""
    given = [Certificate(chain.absolute(), key.absolute()) for chain, key in pairs]
    for each in given:
        refuse_unfit(each)
        refuse_out_of_date(each, now)
    if len(given) > 1:
        refuse_unfit(Certificate(given[0].chain, given[0].key, given[1]))
    paths = [str(path) for each in given for path in (each.chain, each.key)] + [None] * (4 - 2 * len(given))
    changes = dict(zip(("certificate", "key", "certificate2", "key2"), paths, strict=True))
    return named(server_ini.change(home, changes)) or given[0]


def renew(home: Path, now: float) -> Certificate:
    """Make a new self-signed certificate under a new name and note it; the old one stays on the disk."""
    stem = f"certificate-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"
    certificate = Certificate((home / f"{stem}.pem").absolute(), (home / f"{stem}.key").absolute())
    try:
        make_home(home)
        make_self_signed(certificate, names_of(server_ini.read(home)))
        give_to_owner(certificate.key)
        give_to_owner(certificate.chain)
    except OSError as error:
        raise PermanentFailure("certificate.not_written", file=str(certificate.chain)) from error
    return use(home, [(certificate.chain, certificate.key)], max(now, time.time()))
