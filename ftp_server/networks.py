"""The networks that an account may log in from; never opens a connection or asks for a name.

An IPv4 address written as IPv6 (``::ffff:203.0.113.7``), as a listener for both shows it, counts as IPv4.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from transfer.failures import PermanentFailure

_MAPPED = ip_network("::ffff:0:0/96")


def networks_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return networks as they are kept (``203.0.113.7`` -> ``203.0.113.7/32``), each once, in their order.

    Raises ``account.bad_network`` for a text that is no network.
    """
    return tuple(dict.fromkeys(_network(text) for text in texts))


def within(peer: str, networks: tuple[str, ...]) -> bool:
    """Tell whether an address lies in one of the networks; a text that is no address lies in none."""
    try:
        address = ip_address(peer.partition("%")[0])  # a link's name (fe80::1%eth0) is no part of the address
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in _parsed(networks))


def _network(text: str) -> str:
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise PermanentFailure("account.bad_network", network=text[:50]) from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):  # type: ignore[arg-type]
        mapped = network.network_address.ipv4_mapped
        network = IPv4Network((int(mapped or 0), network.prefixlen - 96))
    return str(network)


@lru_cache(maxsize=4096)
def _parsed(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Remember what reading costs more than comparing: a scanner logs in per page."""
    return tuple(map(ip_network, networks))
