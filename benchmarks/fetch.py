"""Measures how fast the firm collects documents, beside lftp mirroring the same server; never a test.

Run it as ``python -m benchmarks.fetch [--quick] [--rounds N]``.
"""

import argparse
import contextlib
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from firm_side import FirmSide
from navette_server import FIDUCIARY, NavetteServer
from peers import DOSSIER, Peer, peer
from scanners import lftp_command

from benchmarks.disk import working_folder
from benchmarks.documents import COUNT, make
from benchmarks.load import upload
from benchmarks.session import Target
from transfer.client_ini import Connection, Security

CONNECTIONS = 4


@contextlib.contextmanager
def _own(folder: Path, paths: list[Path]) -> Iterator[Connection]:
    """Navette's server with the documents deposited; collected over TLS, as it must be."""
    server = NavetteServer(folder)
    server.add_accounts()
    server.start()
    try:
        login = f"WRITE_{FIDUCIARY}"
        upload(Target(server.port, login, server.passwords[login], f"/{DOSSIER}"), paths, CONNECTIONS)
        yield server.connection(f"READ_{FIDUCIARY}")
    finally:
        server.stop()


@contextlib.contextmanager
def _vsftpd(folder: Path, paths: list[Path]) -> Iterator[Connection]:
    """Another server, in clear text, with the documents in its folder since long ago."""
    folder.mkdir()
    running: Peer
    with peer("vsftpd", folder, Security.NONE) as running:
        for path in paths:
            shutil.copy(path, running.root / DOSSIER)
            shutil.chown(running.root / DOSSIER / path.name, "daemon")
        yield running.connection


SOURCES: dict[str, Callable[[Path, list[Path]], contextlib.AbstractContextManager[Connection]]] = {
    "Navette's server, TLS": _own,
    "vsftpd, plain": _vsftpd,
}


def navette(connection: Connection, folder: Path) -> float:
    """Collect with one round of the firm; return its seconds, without those of a round that finds nothing.

    On another server than Navette's a round looks twice before it trusts a file; the pause between is set to none.
    """
    firm = FirmSide(folder)
    firm.add_dossier(DOSSIER, "Boulangerie Dupont")
    firm.collect_from(connection, fetch__settle_seconds="0", fetch__connections=str(CONNECTIONS))
    took = _timed(firm.fetch)
    return took - _timed(firm.fetch)


def lftp(connection: Connection, folder: Path) -> float:
    """Collect with lftp's mirror, which syncs nothing; return its seconds."""
    commands = f'mirror --Remove-source-files --parallel={CONNECTIONS} --no-perms /{DOSSIER} "{folder}/mirrored"'
    tls = connection.security is Security.TLS
    return _timed(lambda: subprocess.run(lftp_command(connection, commands, tls), check=True, capture_output=True))


COLLECTORS = {"Navette (durable, with journal)": navette, "lftp mirror (no sync)": lftp}


def main() -> None:
    """Measure both collectors in turn on both servers, round after round, and print the medians."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.fetch")
    words.add_argument("--quick", action="store_true", help="300 documents and 3 rounds")
    words.add_argument("--rounds", type=int)
    chosen = words.parse_args()
    count, rounds = (300, 3) if chosen.quick else (COUNT, 5)
    rounds = chosen.rounds or rounds
    found: dict[tuple[str, str], list[float]] = {}
    with working_folder(2560) as folder:
        (folder / "documents").mkdir()
        paths = make(folder / "documents", count)
        for n in range(rounds):
            for source, serving in SOURCES.items():
                for name, collect in COLLECTORS.items():
                    run = folder / f"run-{n}"
                    run.mkdir()
                    with serving(run / "server", paths) as connection:
                        (run / "firm").mkdir()
                        took = collect(connection, run / "firm")
                    _check(run / "firm", paths)
                    found.setdefault((source, name), []).append(count / took)
                    shutil.rmtree(run)
    print(f"{count} documents, {CONNECTIONS} connections, {rounds} rounds, median files/s (lowest to highest)")
    print("| collected from | " + " | ".join(COLLECTORS) + " | ratio |\n|---|" + "---|" * (len(COLLECTORS) + 1))
    for source in SOURCES:
        rates = [sorted(found[source, name]) for name in COLLECTORS]
        cells = [f"{statistics.median(each):,.0f} ({each[0]:,.0f}-{each[-1]:,.0f})" for each in rates]
        print(f"| {source} | {' | '.join(cells)} | {statistics.median(rates[0]) / statistics.median(rates[1]):.2f} |")


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _check(folder: Path, paths: list[Path]) -> None:
    """Refuse to count a run that did not bring every document."""
    expected = sorted((path.name, path.stat().st_size) for path in paths)
    brought = sorted((path.name, path.stat().st_size) for path in folder.rglob("scan_*.pdf"))
    if brought != expected:
        raise RuntimeError(f"{len(brought)} of {len(expected)} documents were brought")


if __name__ == "__main__":
    main()
