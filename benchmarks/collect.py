"""Measures how fast a server hands documents out and removes them, beside vsftpd; never a test.

The load is a raw client that keeps nothing: what ``navette fetch`` makes of a server is measured in ``fetch.py``.
Run it as ``python -m benchmarks.collect [--quick] [--rounds N]``.
"""

import shutil
from pathlib import Path

from processes import cpu_seconds
from waiting import until

from benchmarks.disk import working_folder
from benchmarks.documents import COUNT, make
from benchmarks.load import Load, collect, upload
from benchmarks.rounds import Seen, chosen, ratio, table, words
from benchmarks.servers import OWN, SERVERS

BASELINE = "vsftpd"
PEERS = (OWN, BASELINE)
CONNECTIONS = 4
AHEAD = (1, 50)
"""Documents deleted together, after as many were downloaded: by an ordinary program, and by Navette's own fetcher."""


def measure(server: str, folder: Path, paths: list[Path], ahead: int) -> tuple[Load, float]:
    """Collect from one server in a fresh ``folder``; return the load and the server's CPU milliseconds per document."""
    with SERVERS[server](folder, False) as served:
        upload(served.target, paths, CONNECTIONS)
        until(lambda: all(path.stat().st_nlink == 1 for path in served.folder.iterdir()), what="documents to settle")
        before = cpu_seconds(served.pid)
        load = collect(served.collecting, [path.name for path in paths], CONNECTIONS, ahead)
        used = cpu_seconds(served.pid) - before
        if any(served.folder.iterdir()):
            raise RuntimeError("documents were left")
    shutil.rmtree(folder)
    return load, 1000 * used / len(paths)


def main() -> None:
    """Measure both servers in turn, round after round, and print the medians."""
    asked = words("collect", "300 documents and 3 rounds").parse_args()
    count, rounds = (300, 3) if asked.quick else (COUNT, 5)
    rounds = asked.rounds or rounds
    with working_folder() as folder:
        (folder / "documents").mkdir()
        paths = make(folder / "documents", count)
        for ahead in AHEAD:
            found: dict[str, list[tuple[Load, float]]] = {server: [] for server in chosen(PEERS, asked.only)}
            for n in range(rounds):
                for server, runs in found.items():
                    runs.append(measure(server, folder / f"run-{n}", paths, ahead))
            _print(f"{count} documents, {ahead} deleted at once, {CONNECTIONS} connections, {rounds} rounds", found)


def _print(title: str, found: dict[str, list[tuple[Load, float]]]) -> None:
    rates = {server: Seen([load.rate for load, _ in runs]) for server, runs in found.items()}
    print(title)
    table(
        ["server", "documents/s", f"x {BASELINE}", "ms50", "ms95", "CPU ms"],
        [
            (
                server,
                rates[server],
                ratio(rates[server], rates.get(BASELINE)),
                Seen([load.milliseconds(50) for load, _ in runs], ".1f"),
                Seen([load.milliseconds(95) for load, _ in runs], ".1f"),
                Seen([cpu for _, cpu in runs], ".2f"),
            )
            for server, runs in found.items()
        ],
    )


if __name__ == "__main__":
    main()
