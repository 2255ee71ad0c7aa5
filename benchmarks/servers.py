"""Starts the servers that are measured, each in a fresh folder, plain or with FTPS; never leaves one running."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from navette_server import FIDUCIARY, NAVETTE, NavetteServer, navette
from peers import DOSSIER, peer, self_signed
from ports import free_port, free_range, is_listening
from processes import end, started
from waiting import until

from benchmarks.session import RawSession, Target
from transfer.client_ini import Security


@dataclass(frozen=True)
class Served:
    """A running server: where it takes documents and where it hands them out, its process, and their folder on disk."""

    target: Target
    collecting: Target
    pid: int
    folder: Path


_LOGINS = 16
"""Logins before a measurement: each process of a server checks its first one slowly, the others from memory."""

Serving = contextlib.AbstractContextManager[Served]

Serve = Callable[[Path, bool], Serving]
"""``serve(folder, tls)`` runs a server in a folder that is not there yet."""


@contextlib.contextmanager
def own(folder: Path, tls: bool = False, program: Sequence[str] = NAVETTE) -> Iterator[Served]:
    """Navette as it is started by its users, with its own certificate (ECDSA P-256)."""
    server = NavetteServer(folder, program)
    server.add_accounts()
    write, read = f"WRITE_{FIDUCIARY}", f"READ_{FIDUCIARY}"
    if not tls:
        navette(folder, "server", "account", "tls", read, "optional")
    try:
        server.start()
        targets = [Target(server.port, login, server.passwords[login], f"/{DOSSIER}", tls) for login in (write, read)]
        for target in targets * _LOGINS:
            RawSession(target).close()
        files = folder / "server" / "fiduciaries" / FIDUCIARY / "files" / DOSSIER
        yield Served(targets[0], targets[1], server.pid, files)
    finally:
        server.stop()


@contextlib.contextmanager
def pyftpdlib(folder: Path, tls: bool = False, *, sync: bool = False) -> Iterator[Served]:
    """Serve with pyftpdlib, over FTPS with an RSA-2048 certificate; ``sync``: its 226 made durable."""
    root = folder / "root"
    (root / DOSSIER).mkdir(parents=True)
    port, passive = free_port(), free_range(1000)
    words = [str(root), str(port), str(passive.start), str(passive.stop)]
    words += ["--sync"] if sync else []
    if tls:
        self_signed(folder / "certificate.pem")
        words += ["--certificate", str(folder / "certificate.pem")]
    process = started([sys.executable, "-m", "benchmarks.pyftpdlib_peer", *words], folder / "log")
    try:
        until(lambda: is_listening(port), what="pyftpdlib to listen")
        target = Target(port, "depot", "depot", f"/{DOSSIER}", tls)
        yield Served(target, target, process.pid, root / DOSSIER)
    finally:
        end(process)


@contextlib.contextmanager
def debian(kind: str, folder: Path, tls: bool = False) -> Iterator[Served]:
    """Serve with one of Debian's servers, over FTPS with an RSA-2048 certificate."""
    folder.mkdir(parents=True)
    with peer(kind, folder, Security.TLS if tls else Security.NONE) as running:
        there = running.connection
        target = Target(there.port, there.user, there.password, f"/{DOSSIER}", tls)
        yield Served(target, target, running.pid, running.root / DOSSIER)


OWN = "Navette (durable)"
UNSYNCED = "Navette (syncing taken out)"
SERVERS: dict[str, Serve] = {
    OWN: own,
    UNSYNCED: partial(own, program=(sys.executable, "-m", "benchmarks.unsynced")),
    "pyftpdlib": pyftpdlib,
    "pyftpdlib + fsync": partial(pyftpdlib, sync=True),
    "Pure-FTPd": partial(debian, "pure-ftpd"),
    "vsftpd": partial(debian, "vsftpd"),
    "ProFTPD": partial(debian, "proftpd"),
}
"""All servers that are measured somewhere; only Navette and "+ fsync" answer 226 when a document is on the disk."""
