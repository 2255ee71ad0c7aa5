"""Judges how a server can be reached, from what was seen; never looks itself, so each rule can be tried alone."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from ftp_server.findings import Finding, Level, fault, fine
from ftp_server.server_ini import HostSettings, text_of

_TRANSFERS = 128  # at once, in each process: more ports help nobody

Ports = tuple[int, int]
"""First and last port of a range."""


@dataclass(frozen=True)
class NetworkFacts:
    """What was seen. ``address`` is what ``settings.host`` stands for, None when that is not of this machine.

    ``ports`` tells of each control port: ``answers`` or ``silent`` for our running server, else ``free``, ``taken`` or
    ``forbidden``.
    ``busy`` are the passive ports that could not be bound, ``borrowed`` those the system hands to outgoing
    connections, ``sessions`` the sessions now.
    """

    settings: HostSettings
    address: str | None
    ports: dict[int, str]
    busy: tuple[int, ...]
    borrowed: frozenset[int]
    sessions: int


def network_findings(facts: NetworkFacts) -> list[Finding]:
    """Return what is to be said about port, address and passive range."""
    return [finding for check in _CHECKS for finding in check(facts)]


def ports_to_open(settings: HostSettings, address: str | None) -> list[Ports]:
    """Return the TCP ports that a firewall must let in; none for a server that only its own machine reaches."""
    if address and _is_loopback(address):
        return []
    passive = settings.passive_ports
    return [
        *((port, port) for port in control_ports(settings)),
        *([(passive.start, passive.stop - 1)] if passive else []),
    ]


def control_ports(settings: HostSettings) -> list[int]:
    """Return the ports that sessions come to."""
    return [port for port in (settings.port, settings.implicit_port, settings.old_printers_port) if port]


def to_forward(address: str | None) -> bool:
    """Tell whether a router stands before the server's address, which must hand those ports on to it."""
    return address is not None and _is_inside(address) and not _is_loopback(address)


def _ports(facts: NetworkFacts) -> list[Finding]:
    return [_port(port, state, facts.settings.host) for port, state in facts.ports.items()]


def _port(port: int, state: str, host: str) -> Finding:
    match state:
        case "answers":
            return fine("doctor.port_ours", port=port)
        case "free":
            return fine("doctor.port_free", port=port)
        case "silent":
            return fault("doctor.port_silent", Level.ERROR, port=port, host=host)
        case "forbidden":
            return fault("doctor.port_forbidden", Level.ERROR, port=port)
        case _:
            return fault("doctor.port_taken", Level.ERROR, port=port, host=host)


def _host(facts: NetworkFacts) -> list[Finding]:
    if facts.address is None:
        return [fault("doctor.host_unknown", Level.ERROR, host=facts.settings.host)]
    if _is_loopback(facts.address):
        return [fault("doctor.host_loopback", Level.WARNING, host=facts.settings.host)]
    return [fine("doctor.host", host=facts.settings.host)]


def _public_address(facts: NetworkFacts) -> list[Finding]:
    public = facts.settings.public_address
    if facts.address is None or _is_loopback(facts.address):
        return []
    if public is None and _is_inside(facts.address):
        return [fault("doctor.public_missing", Level.WARNING, host=facts.settings.host)]
    if public and _is_inside(public):
        return [fault("doctor.public_private", Level.WARNING, address=public)]
    return [fine("doctor.public", address=public or facts.address)]


def _passive(facts: NetworkFacts) -> list[Finding]:
    settings, ports = facts.settings, facts.settings.passive_ports
    if ports is None:
        inside = facts.address is not None and _is_loopback(facts.address)
        return [] if inside else [fault("doctor.passive_missing", Level.ERROR)]
    shown = text_of(ports)
    found = []
    for port in (*control_ports(settings), settings.metrics_port):
        if port in ports:
            found.append(fault("doctor.passive_holds_port", Level.ERROR, ports=shown, port=port))
    most = min(settings.sessions, _TRANSFERS * settings.processes)
    if len(ports) < most:
        found.append(fault("doctor.passive_narrow", Level.WARNING, ports=shown, count=len(ports), sessions=most))
    if overlap := facts.borrowed.intersection(ports):
        found.append(fault("doctor.passive_borrowed", Level.WARNING, ports=shown, count=len(overlap)))
    if len(facts.busy) > facts.sessions:  # each session may have one of them
        found.append(fault("doctor.passive_busy", Level.WARNING, count=len(facts.busy), port=facts.busy[0]))
    return found or [fine("doctor.passive", ports=shown)]


_CHECKS: tuple[Callable[[NetworkFacts], list[Finding]], ...] = (_host, _ports, _public_address, _passive)


def _is_inside(address: str) -> bool:
    """Tell whether an address means nothing outside one's own network."""
    return ipaddress.ip_address(address.partition("%")[0]).is_private


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
