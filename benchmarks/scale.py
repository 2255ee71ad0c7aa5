"""Measures workers that share 50 FTP sources and 10,000 dossiers over PostgreSQL, on one machine; never a test.

Run it as ``python -m benchmarks.scale [--documents N] [--sources N] [--workers N]``.
"""

import argparse
import contextlib
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from firm_side import FirmSide
from navette_server import NAVETTE, ROOT
from peers import DOSSIER, Peer, peer
from postgresql import running_postgresql
from processes import cpu_seconds, end, started
from sample_documents import pdf
from sqlalchemy import func, select
from waiting import until

from benchmarks.disk import working_folder
from benchmarks.tree import memory
from dossiers import dossier as dossiers
from dossiers import tables
from dossiers.dossier import Dossier
from dossiers.firm import Firm

DOSSIERS = 10_000
A_DAY = 1_000_000
_EMPTY_SECONDS = 120.0
_MIB = 1024 * 1024


def fill(servers: Sequence[Peer], documents: int) -> None:
    """Put documents on all servers, each in the folder of another dossier, as if they had been there for long."""
    for n in range(documents):
        folder = servers[n % len(servers)].root / f"{n % DOSSIERS:06}"
        if not folder.exists():
            folder.mkdir()
            shutil.chown(folder, "daemon")
        made = folder / f"scan_{n}.pdf"
        made.write_bytes(pdf(f"document {n}", padding=30_000 + n % 7000))
        shutil.chown(made, "daemon")


def prepare(home: Path, url: str, servers: Sequence[Peer]) -> FirmSide:
    """Make the firm: its dossiers, and where it collects."""
    (home / "firm").mkdir(parents=True)
    (home / "firm" / "database.url").write_text(url)
    firm = FirmSide(home)
    with Firm(home) as opened, opened.database.write() as connection:
        dossiers.insert_rows(connection, [Dossier(f"{n:06}", f"Client {n}", "fr") for n in range(DOSSIERS)])
    nodes = " ".join(f"127.0.0.1:{server.connection.port}" for server in servers[1:])
    firm.collect_from(
        servers[0].connection,
        fetch__settle_seconds="0",
        fetch__connections="2",
        service__minutes="1",
        service__scale="yes",
        ftp__nodes=nodes,
        alarms__free_gib="0",
    )
    return firm


def removed(firm: Firm) -> int:
    """Return how many documents are through."""
    query = select(func.count()).select_from(tables.documents).where(tables.documents.c.state == "removed")
    with firm.database.read() as connection:
        return connection.execute(query).scalar_one()


def run(folder: Path, url: str, servers: Sequence[Peer], documents: int, workers: int) -> str:
    """Let workers collect everything, then leave them with empty servers for a while; return a row of the table."""
    fill(servers, documents)
    side = prepare(folder / "firm", url, servers)
    command = [*NAVETTE, "--home", side.home, "worker", "--rounds", "4"]
    running = []
    try:
        with Firm(side.home) as firm:
            running = [started(command, folder / f"{n}.log", cwd=ROOT) for n in range(workers)]
            until(lambda: removed(firm) > 0, 120, "the first document")
            began, first = time.perf_counter(), removed(firm)
            until(lambda: removed(firm) >= documents, 1800, "all documents")
            rate = (documents - first) / (time.perf_counter() - began)
        before = sum(cpu_seconds(each.pid) for each in running)
        time.sleep(_EMPTY_SECONDS)
        idle = 100 * (sum(cpu_seconds(each.pid) for each in running) - before) / _EMPTY_SECONDS
        held = sum(memory(each.pid) for each in running) / _MIB / workers
    finally:
        for each in running:
            end(each, signal.SIGTERM, 30)
    hours = A_DAY / rate / 3600
    return f"| {workers} | {rate:,.0f} | {hours:.1f} | {held:.0f} | {idle:.1f} |"


def main() -> None:
    """Measure each number of workers on a fresh database and fresh servers."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    words.add_argument("--documents", type=int, default=20_000)
    words.add_argument("--sources", type=int, default=50)
    words.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = words.parse_args()
    rows = []
    with working_folder(4096) as folder, running_postgresql() as database:
        for workers in asked.workers:
            place = folder / f"workers-{workers}"
            place.mkdir()
            with contextlib.ExitStack() as stack:
                servers = []
                for n in range(asked.sources):
                    (place / f"node-{n}").mkdir()
                    servers.append(stack.enter_context(peer("vsftpd", place / f"node-{n}")))
                    (servers[-1].root / DOSSIER).rmdir()
                rows.append(run(place, database.new_database(), servers, asked.documents, workers))
            shutil.rmtree(place)
    print(f"{DOSSIERS:,} dossiers, {asked.sources} vsftpd, {asked.documents:,} documents of 30 to 37 kB, one machine")
    print("| workers | documents/s | hours for 1,000,000 | MiB a worker | idle % of a processor, a round a minute |")
    print("|---|---|---|---|---|\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
