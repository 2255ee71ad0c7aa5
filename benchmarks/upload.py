"""Measures uploads per second into Navette's server, beside pyftpdlib made durable and Pure-FTPd; never a test.

Run it as ``python -m benchmarks.upload [--quick] [--rounds N]``.
"""

import argparse
import contextlib
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from navette_server import FIDUCIARY, NavetteServer
from peers import DOSSIER, peer
from ports import free_port, free_range, is_listening
from processes import cpu_seconds, end, started
from waiting import until

from benchmarks.disk import durable_writes, working_folder
from benchmarks.documents import COUNT, make
from benchmarks.load import Target, upload

CONNECTIONS = (1, 4, 16)
BASELINE = "pyftpdlib + fsync"
DISK = "the disk alone (synced, no server)"


@contextlib.contextmanager
def _navette(folder: Path) -> Iterator[tuple[Target, int]]:
    server = NavetteServer(folder)
    server.add_accounts()
    server.start()
    try:
        login = f"WRITE_{FIDUCIARY}"
        yield Target(server.port, login, server.passwords[login], f"/{DOSSIER}"), server.pid
    finally:
        server.stop()


@contextlib.contextmanager
def _pyftpdlib(folder: Path) -> Iterator[tuple[Target, int]]:
    root = folder / "root"
    root.mkdir(parents=True)
    port, passive = free_port(), free_range(60)
    words = [str(root), str(port), str(passive.start), str(passive.stop)]
    process = started([sys.executable, "-m", "benchmarks.pyftpdlib_fsync", *words], folder / "log")
    try:
        until(lambda: is_listening(port), what="pyftpdlib to listen")
        yield Target(port, "depot", "depot", "/"), process.pid
    finally:
        end(process)


@contextlib.contextmanager
def _pure_ftpd(folder: Path) -> Iterator[tuple[Target, int]]:
    folder.mkdir(parents=True)
    with peer("pure-ftpd", folder) as running:
        connection = running.connection
        yield Target(connection.port, connection.user, connection.password, f"/{DOSSIER}"), running.pid


SERVERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[tuple[Target, int]]]] = {
    "Navette (durable)": _navette,
    BASELINE: _pyftpdlib,
    "Pure-FTPd (no sync)": _pure_ftpd,
}


Runs = dict[tuple[str, int], list[tuple[float, float | None]]]
"""Server and connections -> files per second and CPU milliseconds per file (None where no server ran) of each run."""


def measure(server: str, folder: Path, paths: list[Path], connections: int) -> tuple[float, float]:
    """Run one server once in a fresh ``folder``; return files per second and its CPU milliseconds per file."""
    with SERVERS[server](folder) as (target, pid):
        before = cpu_seconds(pid)
        took = upload(target, paths, connections)
        used = cpu_seconds(pid) - before
    shutil.rmtree(folder)
    return len(paths) / took, 1000 * used / len(paths)


def main() -> None:
    """Measure all servers in turn, round after round, and print the medians."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.upload")
    words.add_argument("--quick", action="store_true", help="300 documents and 3 rounds")
    words.add_argument("--rounds", type=int)
    words.add_argument("--connections", type=int, nargs="+", default=CONNECTIONS)
    words.add_argument("--only", choices=SERVERS, action="append", help="measure only these servers")
    chosen = words.parse_args()
    count, rounds = (300, 3) if chosen.quick else (COUNT, 5)
    servers = chosen.only or list(SERVERS)
    found: Runs = {}
    with working_folder() as folder:
        source = folder / "documents"
        source.mkdir()
        paths = make(source, count)
        contents = [path.read_bytes() for path in paths]
        size = sum(map(len, contents)) / 1e6
        rounds = chosen.rounds or rounds
        print(f"{count} documents, {size:.0f} MB, {rounds} rounds, median (lowest to highest)")
        for n in range(rounds):
            for connections in chosen.connections:
                for server in servers:
                    run = measure(server, folder / f"run-{n}", paths, connections)
                    found.setdefault((server, connections), []).append(run)
                alone = durable_writes(contents, folder / f"run-{n}", connections)
                found.setdefault((DISK, connections), []).append((alone, None))
    _print(found, [*servers, DISK], chosen.connections)


def _print(found: Runs, servers: list[str], connections: list[int]) -> None:
    print("| server | " + " | ".join(f"{n} conn. files/s | x baseline | CPU ms/file" for n in connections) + " |")
    print("|---|" + "---|" * 3 * len(connections))
    for server in servers:
        cells = []
        for n in connections:
            rates = sorted(rate for rate, _ in found[server, n])
            base = [rate for rate, _ in found.get((BASELINE, n), [])]
            ratio = f"{statistics.median(rates) / statistics.median(base):.2f}" if base else "-"
            used = [cpu for _, cpu in found[server, n] if cpu is not None]
            cpu = f"{statistics.median(used):.2f}" if used else "-"
            cells.append(f"{statistics.median(rates):,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f}) | {ratio} | {cpu}")
        print(f"| {server} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
