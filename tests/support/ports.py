"""Finds free loopback ports for the servers that tests start; never keeps one open."""

import random
import socket

_LOWEST, _HIGHEST = 20_000, 32_000  # below the ports that Linux hands to outgoing connections


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    return free_range(1)[0]


def free_range(count: int) -> range:
    """Return ``count`` neighbouring loopback ports that nothing listens on."""
    for _ in range(200):
        start = random.randint(_LOWEST, _HIGHEST - count)
        ports = range(start, start + count)
        if all(_is_free(port) for port in ports):
            return ports
    raise RuntimeError(f"no {count} neighbouring ports are free")


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
