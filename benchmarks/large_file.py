"""Measures one file of 1 GiB, up and down, beside other servers; never a test.

Run it as ``python -m benchmarks.large_file [--quick] [--rounds N]``.
"""

import itertools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from processes import cpu_seconds

from benchmarks.disk import durable_writes, working_folder
from benchmarks.load import timed
from benchmarks.rounds import Seen, chosen, ratio, table, words
from benchmarks.servers import OWN, SERVERS
from benchmarks.session import RawSession

PEERS = (OWN, "vsftpd", "ProFTPD", "Pure-FTPd")
_MIB = 1024 * 1024
_GIB = 1024 * _MIB


@dataclass(frozen=True)
class Transfers:
    """A file up and down again: MB/s, and the server's CPU seconds per GiB."""

    up: float
    down: float
    cpu_up: float
    cpu_down: float


def measure(server: str, folder: Path, path: Path) -> Transfers:
    """Send a file to one server in a fresh ``folder`` and fetch it back."""
    size = path.stat().st_size
    with (
        SERVERS[server](folder, False) as served,
        RawSession(served.target) as sending,
        RawSession(served.collecting) as fetching,
    ):
        sending.prepare()
        used = [cpu_seconds(served.pid)]
        (up,) = timed([lambda: sending.store_file(path)])
        used.append(cpu_seconds(served.pid))
        fetching.prepare()
        (down,) = timed([lambda: fetching.drain(f"RETR {path.name}")])
        used.append(cpu_seconds(served.pid))
    shutil.rmtree(folder)
    cpu = [(after - before) * _GIB / size for before, after in itertools.pairwise(used)]
    return Transfers(size / 1e6 / up, size / 1e6 / down, *cpu)


def make(path: Path, size: int) -> None:
    """Write one large PDF, as far as its first and last bytes tell."""
    block = os.urandom(_MIB)
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        for _ in range(size // _MIB):
            file.write(block)
        file.write(b"\n%%EOF\n")


def main() -> None:
    """Measure all servers in turn, round after round, and print the medians."""
    asked = words("large_file", "256 MiB and 3 rounds").parse_args()
    size = _GIB // 4 if asked.quick else _GIB
    rounds = asked.rounds or (3 if asked.quick else 5)
    found: dict[str, list[Transfers]] = {server: [] for server in chosen(PEERS, asked.only)}
    alone = []
    with working_folder(3 * size // _MIB + 768) as folder:
        path = folder / "plans.pdf"
        make(path, size)
        content = path.read_bytes()
        for n in range(rounds):
            for server, runs in found.items():
                runs.append(measure(server, folder / f"run-{n}", path))
            alone.append(len(content) / 1e6 * durable_writes([content], folder / f"run-{n}", 1))
    ups = {server: Seen([each.up for each in runs]) for server, runs in found.items()}
    downs = {server: Seen([each.down for each in runs]) for server, runs in found.items()}
    best_up, best_down = (max(seen.values(), key=lambda each: each.median) for seen in (ups, downs))
    print(f"One file of {size // _MIB} MiB, {rounds} rounds; the disk alone, synced: {Seen(alone)} MB/s")
    table(
        ["server", "up MB/s", "x best", "down MB/s", "x best", "CPU s/GiB up", "down"],
        [
            (
                server,
                ups[server],
                ratio(ups[server], best_up),
                downs[server],
                ratio(downs[server], best_down),
                Seen([each.cpu_up for each in runs], ".2f"),
                Seen([each.cpu_down for each in runs], ".2f"),
            )
            for server, runs in found.items()
        ],
    )


if __name__ == "__main__":
    main()
