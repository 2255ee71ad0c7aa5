"""Measures scanner sessions (connect, log in, deposit 50 KiB, say goodbye) beside other servers; never a test.

Run it as ``python -m benchmarks.sessions [--quick] [--rounds N]``.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from processes import cpu_seconds

from benchmarks.disk import working_folder
from benchmarks.load import Load, scan
from benchmarks.rounds import Seen, chosen, ratio, table, words
from benchmarks.servers import OWN, SERVERS

BASELINE = "pyftpdlib"
PEERS = (OWN, BASELINE, "Pure-FTPd", "vsftpd")


@dataclass(frozen=True)
class Case:
    """A way in which devices come: so many at once, with TLS or not, with Nagle's delay or not."""

    title: str
    at_once: int
    tls: bool = False
    nagle: bool = False


CASES = (
    Case("plain, 1 at once", 1),
    Case("plain, 4 at once", 4),
    Case("FTPS, 4 at once", 4, tls=True),
    Case("FTPS with Nagle's delay, 1 at once", 1, tls=True, nagle=True),
    Case("FTPS with Nagle's delay, 4 at once", 4, tls=True, nagle=True),
)


def measure(server: str, folder: Path, case: Case, count: int) -> tuple[Load, float]:
    """Run one server once in a fresh ``folder``; return the load and the server's CPU milliseconds per session."""
    with SERVERS[server](folder, case.tls) as served:
        target = replace(served.target, nagle=case.nagle)
        before = cpu_seconds(served.pid)
        load = scan(target, count, case.at_once)
        used = cpu_seconds(served.pid) - before
    shutil.rmtree(folder)
    return load, 1000 * used / count


def main() -> None:
    """Measure all servers in turn, round after round, and print the medians."""
    parser = words("sessions", "100 sessions (else 1,000, or 400 over TLS) and 3 rounds")
    parser.add_argument("--case", type=int, choices=range(len(CASES)), action="append", help="measure only these cases")
    asked = parser.parse_args()
    rounds = asked.rounds or (3 if asked.quick else 5)
    servers = chosen(PEERS, asked.only)
    with working_folder() as folder:
        for case in [CASES[n] for n in asked.case or range(len(CASES))]:
            count = 100 if asked.quick else 400 if case.tls else 1000
            found: dict[str, list[tuple[Load, float]]] = {server: [] for server in servers}
            for n in range(rounds):
                for server in servers:
                    found[server].append(measure(server, folder / f"run-{n}", case, count))
            _print(f"{case.title}: {count} sessions, {rounds} rounds, median (lowest-highest)", found)


def _print(title: str, found: dict[str, list[tuple[Load, float]]]) -> None:
    rates = {server: Seen([load.rate for load, _ in runs]) for server, runs in found.items()}
    print(title)
    table(
        ["server", "sessions/s", f"x {BASELINE}", "Navette is x", "ms50", "ms95", "CPU ms"],
        [
            [
                server,
                rates[server],
                ratio(rates[server], rates.get(BASELINE)),
                ratio(rates[OWN], rates[server]) if OWN in rates else "-",
                Seen([load.milliseconds(50) for load, _ in runs], ".1f"),
                Seen([load.milliseconds(95) for load, _ in runs], ".1f"),
                Seen([cpu for _, cpu in runs], ".2f"),
            ]
            for server, runs in found.items()
        ],
    )


if __name__ == "__main__":
    main()
