"""Measures thousands of idle logged-in sessions and a scanner beside them; never a test.

Run it as ``python -m benchmarks.idle [--quick] [--rounds N]``.
"""

import contextlib
import multiprocessing
import resource
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

from processes import cpu_seconds

from benchmarks.disk import working_folder
from benchmarks.load import Load, scan
from benchmarks.rounds import Seen, chosen, table, words
from benchmarks.servers import OWN, SERVERS
from benchmarks.session import RawSession, Target
from benchmarks.tree import memory

PEERS = (OWN, "pyftpdlib")
SESSIONS = 5000
AT_ONCE = 4
"""Logins under way at the same time."""

_PER_ADDRESS = 100  # as from one office: Navette limits the sessions of an address
_SECONDS = 10.0
_SCANS = 100
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Idle:
    """What a server did: logins per second, bytes in all, processor per cent while nothing came, the scanner beside."""

    logins: float
    memory: int
    empty: int
    percent: float
    beside: Load


def measure(server: str, folder: Path, count: int) -> Idle:
    """Fill one server in a fresh ``folder`` with idle sessions and look at it."""
    with SERVERS[server](folder, False) as served:
        empty = memory(served.pid)
        with _sessions(served.target, count) as logins:
            time.sleep(1)  # what a login leaves to do afterwards is not idleness
            before = cpu_seconds(served.pid)
            time.sleep(_SECONDS)
            used = cpu_seconds(served.pid) - before
            held = memory(served.pid)
            beside = scan(served.target, _SCANS, 1)
    shutil.rmtree(folder)
    return Idle(logins, held, empty, 100 * used / _SECONDS, beside)


@contextlib.contextmanager
def _sessions(target: Target, count: int) -> Iterator[float]:
    """Hold ``count`` sessions in other processes for a ``with`` block, whose variable is logins per second."""
    context = multiprocessing.get_context("fork")
    start, all_in, leave = context.Barrier(AT_ONCE + 1), context.Barrier(AT_ONCE + 1), context.Event()
    holders = [
        context.Process(target=_hold, args=(target, range(n, count, AT_ONCE), start, all_in, leave))
        for n in range(AT_ONCE)
    ]
    for holder in holders:
        holder.start()
    try:
        start.wait(60)
        began = time.perf_counter()
        all_in.wait(600)
        yield count / (time.perf_counter() - began)
    finally:
        leave.set()
        for holder in holders:
            holder.join()


def _hold(target: Target, numbers: range, start: Barrier, all_in: Barrier, leave: Event) -> None:
    """Log sessions in, from one address for every hundred, and keep them until told to leave."""
    start.wait(60)
    try:
        held = [RawSession(replace(target, source=f"127.0.1.{1 + n // _PER_ADDRESS}")) for n in numbers]
    except BaseException:
        all_in.abort()
        raise
    all_in.wait(600)
    leave.wait()
    for session in held:
        session.close()


def main() -> None:
    """Measure both servers in turn, round after round, and print the medians."""
    parser = words("idle", "1,000 sessions and 1 round")
    parser.add_argument("--sessions", type=int)
    asked = parser.parse_args()
    count = asked.sessions or (1000 if asked.quick else SESSIONS)
    rounds = asked.rounds or (1 if asked.quick else 3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    found: dict[str, list[Idle]] = {server: [] for server in chosen(PEERS, asked.only)}
    with working_folder() as folder:
        for n in range(rounds):
            for server, runs in found.items():
                runs.append(measure(server, folder / f"run-{n}", count))
    print(f"{count} idle sessions, {rounds} rounds, median (lowest-highest)")
    table(
        ["server", "logins/s", "MiB in all", "KiB a session", "idle CPU %", "a session beside: ms50", "ms95"],
        [
            [
                server,
                Seen([each.logins for each in runs]),
                Seen([each.memory / _MIB for each in runs], ".1f"),
                Seen([(each.memory - each.empty) / 1024 / count for each in runs], ".1f"),
                Seen([each.percent for each in runs], ".2f"),
                Seen([each.beside.milliseconds(50) for each in runs], ".1f"),
                Seen([each.beside.milliseconds(95) for each in runs], ".1f"),
            ]
            for server, runs in found.items()
        ],
    )


if __name__ == "__main__":
    main()
