"""Looks at the machine a server runs on: ports, folder, disk, limits; never judges, and leaves nothing behind."""

import errno
import os
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ftp_server.home_checks import HomeFacts
from ftp_server.running import RunningServer

if sys.platform != "win32":
    import pwd
    import resource

_PATIENCE = 5.0  # seconds for our own server to greet
_SYNCS = 5
_PROBE = 65_536
_BORROWED = Path("/proc/sys/net/ipv4/ip_local_port_range")
_RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")


def own_address(host: str) -> str | None:
    """Return the address that a host stands for; None when this machine does not have it."""
    with suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        address = str(found[0][4][0])
        if port_state(address, 0) == "free":
            return address
    return None


def port_state(address: str, port: int) -> str:
    """Return whether a port is ``free``, ``taken``, or ``forbidden`` for this user."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return "forbidden" if error.errno == errno.EACCES else "taken"
    return "free"


def greets(address: str, port: int) -> bool:
    """Tell whether an FTP server answers."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not bound
    try:
        with socket.create_connection((here, port), timeout=_PATIENCE) as connection:
            return connection.recv(4) == b"220 "
    except OSError:
        return False


def borrowed_ports() -> frozenset[int]:
    """Return the ports that Linux hands to outgoing connections; none where that is not known."""
    try:
        first, last = (int(word) for word in _BORROWED.read_text().split())
    except (OSError, ValueError):
        return frozenset()
    return frozenset(range(first, last + 1)) - _reserved()


def _reserved() -> frozenset[int]:
    ports: set[int] = set()
    with suppress(OSError):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", _RESERVED.read_text()):
            ports.update(range(int(first), int(last or first) + 1))
    return frozenset(ports)


def look_at_home(home: Path, running: RunningServer | None) -> HomeFacts:
    """Return what a home folder that exists is like, with a few files written and removed for it."""
    hard_links, attributes, sync = _tried(home)
    return HomeFacts(
        home=str(home),
        user=_user(running),
        owner=_name(home.stat().st_uid) if sys.platform != "win32" else None,
        mode=home.stat().st_mode if sys.platform != "win32" else None,
        writable=sync is not None,
        free=shutil.disk_usage(home).free,
        hard_links=hard_links,
        attributes=attributes,
        sync=sync,
        descriptors=_descriptors(running),
    )


def _tried(home: Path) -> tuple[bool, bool, float | None]:
    """Return whether hard links and attributes are kept, and the median time of a sync in ms (None: not writable)."""
    try:
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=home) as folder:
            probe = Path(folder, "probe")
            times = [_sync_time(probe) for _ in range(_SYNCS)]
            return _links(probe), _keeps_attributes(probe), statistics.median(times)
    except OSError:
        return False, False, None


def _sync_time(probe: Path) -> float:
    with probe.open("wb") as file:
        file.write(os.urandom(_PROBE))
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000


def _links(probe: Path) -> bool:
    try:
        os.link(probe, probe.with_name("link"))
    except OSError:
        return False
    return True


def _keeps_attributes(probe: Path) -> bool:
    if sys.platform != "linux":
        return True  # not used there
    try:
        os.setxattr(probe, "user.navette.probe", b"1")
    except OSError:
        return False
    return True


def _user(running: RunningServer | None) -> str:
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "")
    with suppress(OSError):
        if running:
            return _name(Path(f"/proc/{running.pid}").stat().st_uid)
    return _name(os.geteuid())


def _name(uid: int) -> str:
    if sys.platform != "win32":
        with suppress(KeyError):
            return pwd.getpwuid(uid).pw_name
    return str(uid)


def _descriptors(running: RunningServer | None) -> int | None:
    """Return how many files and connections the running server may open, or one started by this user."""
    if sys.platform == "win32":
        return None
    if running:
        with suppress(OSError):
            found = re.search(r"Max open files\s+(\d+)", Path(f"/proc/{running.pid}/limits").read_text())
            if found:
                return int(found[1])
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
