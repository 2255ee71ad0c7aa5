"""Which server runs in a home, by what it says of itself there; never starts or stops one."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ftp_server import server_ini
from ftp_server.home import make_home
from ftp_server.home_lock import is_locked
from ftp_server.server_ini import HostSettings
from ftp_server.whole_file import replace_file
from transfer.durable import make_folder
from transfer.failures import Failure, PermanentFailure


@dataclass(frozen=True)
class RunningServer:
    """What a running server says of itself: ``since`` in seconds since 1970 UTC, and how it was started."""

    pid: int
    since: float
    settings: HostSettings


@contextmanager
def told(home: Path, server: RunningServer) -> Iterator[None]:
    """Say within the block that a server runs in a home; what others left there that have ended is removed."""
    for path in running_folder(home).glob("[0-9]*.json"):
        if not is_alive(int(path.stem)):
            path.unlink(missing_ok=True)
    words = {"pid": server.pid, "since": server.since, "settings": server_ini.texts(server.settings)}
    replace_file(_path(home), json.dumps(words).encode(), durable=False)
    try:
        yield
    finally:
        _path(home).unlink(missing_ok=True)


def running_folder(home: Path) -> Path:
    """Return the folder in which a running server tells about itself, made if it is missing."""
    folder = home / "running"
    make_home(home)
    make_folder(folder)
    return folder


def running_server(home: Path) -> RunningServer | None:
    """Return the server that runs in a home, or None."""
    with suppress(OSError, ValueError, KeyError, TypeError, Failure):
        words = json.loads(_path(home).read_bytes())
        server = RunningServer(words["pid"], words["since"], server_ini.of_texts(words["settings"]))
        return server if is_locked(home) else None
    return None


def ask_to_reload(server: RunningServer) -> None:
    """Make a running server load its certificate anew.

    Raises ``server.no_reload_here`` on Windows and ``server.not_yours`` when it belongs to another user.
    """
    if sys.platform == "win32":
        raise PermanentFailure("server.no_reload_here")
    try:
        os.kill(server.pid, signal.SIGHUP)
    except PermissionError:
        raise PermanentFailure("server.not_yours", pid=server.pid) from None


def is_alive(pid: int) -> bool:
    """Tell whether a process with this number exists."""
    if sys.platform == "win32":  # os.kill would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _path(home: Path) -> Path:
    return home / "running" / "server.json"
