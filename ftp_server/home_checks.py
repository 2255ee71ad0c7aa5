"""Judges a server's home, disk and certificate from what was seen; never looks itself: each rule is tried alone."""

import stat
from dataclasses import dataclass

from ftp_server.certificate_facts import SOON, CertificateFacts
from ftp_server.disk_alarm import SCARCE
from ftp_server.findings import Finding, Level, fault, fine
from ftp_server.room import FREE_SPACE
from ftp_server.server_ini import HostSettings

_SLOW = 50  # milliseconds that a sync may take before senders feel it
_PER_SESSION = 4  # descriptors: control and data connection, passive port, file
_BESIDE = 200
_BUILT = 1_767_225_600  # 2026-01-01: a clock before that is wrong
_MIB = 2**20


@dataclass(frozen=True)
class HomeFacts:
    """The home folder as it is: ``mode`` and ``owner`` are None where the system has none (Windows).

    ``user`` is who runs the server, or would. ``sync`` is the time of a sync in milliseconds, None if nothing could be
    written; ``free`` counts bytes; ``descriptors`` is None for no limit.
    """

    home: str
    user: str
    owner: str | None
    mode: int | None
    writable: bool
    free: int
    hard_links: bool
    attributes: bool
    sync: float | None
    descriptors: int | None


@dataclass(frozen=True)
class DatabaseFacts:
    """The database: ``damage`` is the first complaint of its own check, ``old`` whether it lacks some of our columns.

    ``in_clear`` are READ accounts that may come without TLS, ``last`` is when the newest document came.
    """

    damage: str
    old: bool
    in_clear: tuple[str, ...]
    last: float | None


def home_findings(facts: HomeFacts, settings: HostSettings) -> list[Finding]:
    """Return what is to be said about the folder, the disk below it, and the limits of its user."""
    return [*_folder(facts), *_disk(facts), *_descriptors(facts, settings)]


def _folder(facts: HomeFacts) -> list[Finding]:
    if facts.owner is not None and facts.owner != facts.user:
        return [fault("doctor.home_owner", Level.ERROR, home=facts.home, owner=facts.owner, user=facts.user)]
    if not facts.writable:
        return [fault("doctor.home_closed", Level.ERROR, home=facts.home, user=facts.user)]
    if facts.mode is not None and facts.mode & (stat.S_IRWXG | stat.S_IRWXO):
        return [fault("doctor.home_open", Level.WARNING, home=facts.home)]
    return [fine("doctor.home", home=facts.home, user=facts.user)]


def _disk(facts: HomeFacts) -> list[Finding]:
    free, floor = facts.free // _MIB, FREE_SPACE // _MIB
    if facts.free <= FREE_SPACE:
        found = [fault("doctor.disk_full", Level.ERROR, free=free, floor=floor)]
    elif facts.free < SCARCE:
        found = [fault("doctor.disk_scarce", Level.WARNING, free=free, floor=floor)]
    else:
        found = [fine("doctor.disk", free=free)]
    if facts.sync is None:
        return found
    if not facts.hard_links:
        found.append(fault("doctor.no_hard_links", Level.ERROR, home=facts.home))
    if not facts.attributes:
        found.append(fault("doctor.no_attributes", Level.WARNING, home=facts.home))
    slow = facts.sync > _SLOW
    shown = f"{facts.sync:.1f}"
    found.append(fault("doctor.sync_slow", Level.WARNING, ms=shown) if slow else fine("doctor.sync", ms=shown))
    return found


def _descriptors(facts: HomeFacts, settings: HostSettings) -> list[Finding]:
    needed = settings.sessions * _PER_SESSION + _BESIDE
    if facts.descriptors is not None and facts.descriptors < needed:
        values = {"limit": facts.descriptors, "sessions": settings.sessions, "needed": needed}
        return [fault("doctor.descriptors", Level.WARNING, **values)]
    return []


def certificate_findings(
    certificates: list[CertificateFacts], key_modes: dict[str, int], wanted: str | None, now: float
) -> list[Finding]:
    """Return what is to be said about the certificates, the rights of their key files, and the name clients use."""
    found = [fault("doctor.key_open", Level.ERROR, file=key) for key, mode in key_modes.items() if mode & 0o077]
    for said in certificates:
        left, end = said.days_left(now), f"{said.not_after:%Y-%m-%d}"
        if left < 0:
            found.append(fault("doctor.certificate_ended", Level.ERROR, end=end))
        elif said.not_before.timestamp() > now:
            found.append(fault("doctor.certificate_early", Level.ERROR, start=f"{said.not_before:%Y-%m-%d}"))
        elif left < SOON:
            found.append(fault("doctor.certificate_ends", Level.WARNING, end=end, days=left))
        else:
            found.append(fine("doctor.certificate", end=end, days=left, fingerprint=said.fingerprint))
        if wanted and not said.covers(wanted):
            names = ", ".join(said.names) or said.subject
            found.append(fault("doctor.certificate_names", Level.WARNING, names=names, host=wanted))
    return found


def database_findings(facts: DatabaseFacts, now: float) -> list[Finding]:
    """Return what is to be said about the database, its accounts, and the clock beside its newest document."""
    if facts.damage:
        return [fault("doctor.database_damaged", Level.ERROR, why=facts.damage)]
    if facts.old:
        return [fault("doctor.database_old", Level.WARNING)]
    found = [fine("doctor.database")]
    if facts.in_clear:
        found.append(fault("doctor.read_in_clear", Level.WARNING, logins=", ".join(facts.in_clear)))
    return [*found, *clock_findings(facts.last, now)]


def clock_findings(last: float | None, now: float) -> list[Finding]:
    """Return what is wrong with the clock: it stands before this program was made, or before the newest document."""
    if now < max(_BUILT, (last or 0) - 60):
        return [fault("doctor.clock", Level.ERROR)]
    return []
