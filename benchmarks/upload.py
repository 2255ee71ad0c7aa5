"""Measures uploads per second into Navette's server, beside pyftpdlib made durable and Pure-FTPd; never a test.

Run it as ``python -m benchmarks.upload [--quick] [--rounds N]``.
"""

import shutil
from pathlib import Path

from processes import cpu_seconds

from benchmarks.disk import durable_writes, working_folder
from benchmarks.documents import COUNT, make
from benchmarks.load import upload
from benchmarks.rounds import Seen, chosen, ratio, table, words
from benchmarks.servers import OWN, SERVERS, UNSYNCED

CONNECTIONS = (1, 4, 16)
OVER_TLS = 4
"""Connections of the uploads over FTPS."""

BASELINE = "pyftpdlib + fsync"
PEERS = (OWN, BASELINE, UNSYNCED, "Pure-FTPd")
TLS_PEERS = (OWN, UNSYNCED, "pyftpdlib", "Pure-FTPd")
DISK = "the disk alone (synced, no server)"

Runs = dict[str, list[tuple[float, float | None]]]
"""Server -> files per second and CPU milliseconds per file (None where no server ran) of each run."""


def measure(server: str, folder: Path, paths: list[Path], connections: int, tls: bool = False) -> tuple[float, float]:
    """Run one server once in a fresh ``folder``; return files per second and its CPU milliseconds per file."""
    with SERVERS[server](folder, tls) as served:
        before = cpu_seconds(served.pid)
        load = upload(served.target, paths, connections)
        used = cpu_seconds(served.pid) - before
    shutil.rmtree(folder)
    return load.rate, 1000 * used / len(paths)


def main() -> None:
    """Measure all servers in turn, round after round, and print the medians."""
    parser = words("upload", "300 documents and 3 rounds")
    parser.add_argument("--connections", type=int, nargs="+", default=CONNECTIONS)
    parser.add_argument("--plain", action="store_true", help="without the uploads over FTPS")
    asked = parser.parse_args()
    count, rounds = (300, 3) if asked.quick else (COUNT, 5)
    rounds = asked.rounds or rounds
    plain: dict[int, Runs] = {n: {} for n in asked.connections}
    over_tls: Runs = {}
    with working_folder() as folder:
        source = folder / "documents"
        source.mkdir()
        paths = make(source, count)
        contents = [path.read_bytes() for path in paths]
        for n in range(rounds):
            run = folder / f"run-{n}"
            for connections, found in plain.items():
                for server in chosen(PEERS, asked.only):
                    found.setdefault(server, []).append(measure(server, run, paths, connections))
                found.setdefault(DISK, []).append((durable_writes(contents, run, connections), None))
            for server in [] if asked.plain else chosen(TLS_PEERS, asked.only):
                over_tls.setdefault(server, []).append(measure(server, run, paths, OVER_TLS, tls=True))
    size = sum(map(len, contents)) / 1e6
    print(f"{count} documents, {size:.0f} MB, {rounds} rounds, median (lowest-highest)\n")
    for connections, found in plain.items():
        _print(f"Plain, {connections} at once", found, BASELINE)
    if over_tls:
        _print(f"FTPS, {OVER_TLS} at once", over_tls, "pyftpdlib")


def _print(title: str, found: Runs, baseline: str) -> None:
    rates = {server: Seen([rate for rate, _ in runs]) for server, runs in found.items()}
    used = {server: [cpu for _, cpu in runs if cpu is not None] for server, runs in found.items()}
    rows = [
        (server, rate, ratio(rate, rates.get(baseline)), Seen(used[server], ".2f") if used[server] else "-")
        for server, rate in rates.items()
    ]
    table([title, "files/s", f"x {baseline}", "CPU ms/file"], rows)


if __name__ == "__main__":
    main()
