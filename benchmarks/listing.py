"""Measures the listing of folders with very many files, and what another session feels of it; never a test.

Run it as ``python -m benchmarks.listing [--quick] [--rounds N]``.
"""

import multiprocessing
import shutil
import time
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.disk import working_folder
from benchmarks.rounds import Seen, chosen, ratio, table, words
from benchmarks.servers import OWN, SERVERS
from benchmarks.session import RawSession, Target
from benchmarks.tree import Growth

BASELINE = "Pure-FTPd"
PEERS = (OWN, BASELINE, "pyftpdlib")
COMMANDS = ("MLSD", "LIST", "NLST")
SIZES = (10_000, 100_000)
_DAEMON = 1  # Debian's own account, as which the peers serve
_PAUSE = 0.001  # seconds between two NOOPs
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Listed:
    """One listing: its seconds, the growth of the server's memory in bytes, another session's longest wait in s."""

    seconds: float
    growth: int
    wait: float


def measure(server: str, folder: Path, files: Path, count: int, command: str) -> Listed:
    """Lend the folder ``files`` to one server in a fresh ``folder``, which has listed nothing yet, and list it."""
    with SERVERS[server](folder, False) as served:
        if served.folder.exists():
            served.folder.rmdir()
        served.folder.parent.mkdir(parents=True, exist_ok=True)
        files.rename(served.folder)
        try:
            listed = _listed(served.collecting, served.pid, command, count)
        finally:
            served.folder.rename(files)
    shutil.rmtree(folder)
    return listed


def _listed(target: Target, pid: int, command: str, expected: int) -> Listed:
    context = multiprocessing.get_context("fork")
    start, stop, told = context.Event(), context.Event(), context.SimpleQueue()
    other = context.Process(target=_ask, args=(target, start, stop, told))
    other.start()
    with RawSession(target) as session:
        session.prepare()
        told.get()
        growth = Growth.of(pid)
        start.set()
        told.get()
        began = time.perf_counter()
        lines = session.lines(command)
        took = time.perf_counter() - began
        stop.set()
        wait = told.get()
        other.join()
        grown = growth.bytes()
    if not expected <= lines <= expected + 2:  # "." and ".."
        raise RuntimeError(f"{lines} of {expected} files were listed")
    return Listed(took, grown, wait)


def _ask(target: Target, start: Event, stop: Event, told: "SimpleQueue[float]") -> None:
    """Say NOOP again and again in another session; tell the longest wait."""
    with RawSession(target) as session:
        session.say("NOOP", 200)
        told.put(0)
        start.wait()
        longest = 0.0
        told.put(0)
        while not stop.is_set():
            began = time.perf_counter()
            session.say("NOOP", 200)
            longest = max(longest, time.perf_counter() - began)
            time.sleep(_PAUSE)
        told.put(longest)


def make(folder: Path, count: int) -> None:
    """Make empty files named like scans."""
    folder.mkdir()
    for n in range(count):
        (folder / f"scan_{n:06}.pdf").touch()
    shutil.chown(folder, _DAEMON)


def main() -> None:
    """Measure all servers in turn, round after round, and print the medians."""
    parser = words("listing", "10,000 files and 2 rounds")
    parser.add_argument("--files", type=int, nargs="+")
    parser.add_argument("--command", choices=COMMANDS, action="append")
    asked = parser.parse_args()
    rounds = asked.rounds or (2 if asked.quick else 5)
    with working_folder(2048) as folder:  # an inode for every 16 KiB
        for count in asked.files or (SIZES[:1] if asked.quick else SIZES):
            files = folder / f"files-{count}"
            make(files, count)
            for command in asked.command or COMMANDS:
                found: dict[str, list[Listed]] = {server: [] for server in chosen(PEERS, asked.only)}
                for n in range(rounds):
                    for server, runs in found.items():
                        runs.append(measure(server, folder / f"run-{n}", files, count, command))
                _print(f"{command} of {count:,} files, {rounds} rounds", found)


def _print(title: str, found: dict[str, list[Listed]]) -> None:
    seconds = {server: Seen([each.seconds for each in runs], ".3f") for server, runs in found.items()}
    rows = [
        (
            server,
            seconds[server],
            ratio(seconds[server], seconds.get(BASELINE)),
            Seen([each.growth / _MIB for each in runs], ".1f"),
            Seen([1000 * each.wait for each in runs], ".1f"),
        )
        for server, runs in found.items()
    ]
    table([title, "s", f"x {BASELINE}", "growth MiB", "longest wait of another, ms"], rows)


if __name__ == "__main__":
    main()
