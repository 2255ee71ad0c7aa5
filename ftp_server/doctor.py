"""Looks at everything a server needs and returns what it finds, in the order to mend it; never mends anything."""

import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from ftp_server import looking, server_ini
from ftp_server.accounts import Accounts
from ftp_server.certificate_choice import named
from ftp_server.certificate_facts import facts, refuse_unfit
from ftp_server.certificates import Certificate
from ftp_server.findings import Finding, Level, fault, fine
from ftp_server.home_checks import (
    DatabaseFacts,
    certificate_findings,
    clock_findings,
    database_findings,
    home_findings,
)
from ftp_server.network_checks import NetworkFacts, Ports, control_ports, network_findings, ports_to_open, to_forward
from ftp_server.running import RunningServer, running_server
from ftp_server.server import opened
from ftp_server.server_ini import HostSettings
from ftp_server.tables import deposits
from ftp_server.tally import all_told
from transfer.accounts import AccountKind
from transfer.failures import Failure


@dataclass(frozen=True)
class Diagnosis:
    """All findings; the TCP ports for the firewall; whether a router must hand them on, and to which address."""

    findings: list[Finding]
    ports: list[Ports]
    forward_to: str | None


def examine(home: Path, now: float) -> Diagnosis:
    """Look at a server by its settings, or, while it runs, by what it was started with.

    Raises ``server_ini.…`` when its settings cannot be read.
    """
    running = running_server(home)
    kept = server_ini.read(home)
    settings = running.settings if running else kept
    network = _look_at_network(settings, running, home)
    found = network_findings(network)
    if home.is_dir():
        found += home_findings(looking.look_at_home(home, running), settings)
        found += _database(home, now)
    else:
        found += [fine("doctor.home_new", home=str(home)), *clock_findings(None, now)]
    found += _certificate(home, kept, settings, now)
    forward_to = network.address if to_forward(network.address) else None
    return Diagnosis(found, ports_to_open(settings, network.address), forward_to)


def _look_at_network(settings: HostSettings, running: RunningServer | None, home: Path) -> NetworkFacts:
    address = looking.own_address(settings.host)
    busy: tuple[int, ...] = ()
    ports: dict[int, str] = {}
    if address:
        for port in control_ports(settings):
            if running:
                silent = port != settings.implicit_port and not looking.greets(address, port)
                ports[port] = "silent" if silent else "answers"
            else:
                ports[port] = looking.port_state(address, port)
        states = {each: looking.port_state(address, each) for each in settings.passive_ports or ()}
        busy = tuple(each for each, state in states.items() if state != "free")
    sessions = sum(told.sessions for told in all_told(home, running.since)) if running else 0
    return NetworkFacts(settings, address, ports, busy, looking.borrowed_ports(), sessions)


def _certificate(home: Path, kept: HostSettings, settings: HostSettings, now: float) -> list[Finding]:
    own = Certificate(home / "certificate.pem", home / "certificate.key")
    try:
        certificate = named(kept) or (own if own.chain.exists() else None)
        if certificate is None:
            return [fine("doctor.certificate_new")]
        refuse_unfit(certificate)
        pairs = [each for each in (certificate, certificate.second) if each]
        modes = {str(each.key): stat.S_IMODE(each.key.stat().st_mode) for each in pairs}
        wanted = settings.public_address or (settings.host if any(sign.isalpha() for sign in settings.host) else None)
        return certificate_findings([facts(each.chain) for each in pairs], modes, wanted, now)
    except Failure as failure:
        return [Finding(Level.ERROR, failure.code, failure.values)]


def _database(home: Path, now: float) -> list[Finding]:
    if not (home / "server.db").exists():
        return [fine("doctor.database_new"), *clock_findings(None, now)]
    with closing(opened(home)) as database:
        try:
            with database.read() as connection:
                said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        except SQLAlchemyError as error:
            return [fault("doctor.database_damaged", Level.ERROR, why=str(getattr(error, "orig", error))[:200])]
        damage = "" if said == "ok" else said[:200]
        try:
            accounts = Accounts(database).list()
            with database.read() as connection:
                last = connection.scalar(select(func.max(deposits.c.received_at)))
        except SQLAlchemyError:
            return database_findings(DatabaseFacts(damage, old=True, in_clear=(), last=None), now)
    in_clear = (
        account.name.login
        for account in accounts
        if account.name.kind is AccountKind.READ and account.enabled and not account.tls_required
    )
    return database_findings(DatabaseFacts(damage, old=False, in_clear=tuple(in_clear), last=last), now)
