"""Measures how fast documents are found among a million journal rows, on both databases; never a test.

Run it as ``python -m benchmarks.journal [--rows N]``.
"""

import argparse
import hashlib
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from postgresql import running_postgresql
from sqlalchemy import Connection, insert, text

from benchmarks.disk import working_folder
from dossiers import failing, journal, tables, waiting_list
from dossiers.alarm_facts import all_facts, quick_facts
from dossiers.firm import Firm

STEPS = ("discovered", "placing", "stored", "removed")
WAITING = 5000
DOSSIERS = 10_000
_AT_ONCE = 5000
_START = datetime(2026, 1, 1, tzinfo=UTC)


def fill(firm: Firm, documents: int) -> None:
    """Write documents with four journal rows each, of which the last ones wait, and the dossiers they are in."""
    with firm.database.write() as connection:
        rows = [
            {"number": f"{n:06}", "name": f"Client {n}", "language": "fr", "template": "{root}/{dossier}/{year}"}
            for n in range(DOSSIERS)
        ]
        connection.execute(insert(tables.dossiers), rows)
    for first in range(1, documents + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, documents + 1))
        with firm.database.write() as connection:
            connection.execute(insert(tables.documents), [_document(n, documents) for n in numbers])
            connection.execute(insert(tables.journal), [row for n in numbers for row in _steps(n, documents)])
    if firm.database.dialect == "postgresql":
        with firm.database.write() as connection:
            _number_on(connection)


def _number_on(connection: Connection) -> None:
    connection.execute(text("SELECT setval(pg_get_serial_sequence('documents', 'id'), max(id)) FROM documents"))
    connection.execute(text("ANALYZE"))


def _document(n: int, of: int) -> dict[str, Any]:
    moment = _START + timedelta(seconds=300 * 86_400 * n // of)
    waits = n > of - WAITING
    return {
        "id": n,
        "origin": "ftp",
        "source": "READ_570013@127.0.0.1:21",
        "path": f"/{n % DOSSIERS:06}/scan_{n}.pdf",
        "dossier": None if waits else f"{n % DOSSIERS:06}",
        "reason": "waiting.unknown_dossier" if waits else None,
        "name": f"scan_{n}.pdf",
        "folder": "/dossiers/x",
        "placed": f"scan_{n}.pdf",
        "placed_key": f"scan_{n}.pdf",
        "size": 100_000,
        "sha256": _sha256(n),
        "state": "removed",
        "found": moment,
        "changed": moment,
        "attempts": 0,
    }


def _steps(n: int, of: int) -> Iterator[dict[str, Any]]:
    moment = _START + timedelta(seconds=300 * 86_400 * n // of)
    for step in STEPS:
        dossier = None if n > of - WAITING else f"{n % DOSSIERS:06}"
        head = {"document": n, "dossier": dossier, "at": moment, "machine": "PC-1", "epoch": 1}
        yield {**head, "step": step, "sha256": _sha256(n), "size": 100_000, "place": f"/dossiers/x/scan_{n}.pdf"}


def _sha256(n: int) -> str:
    return hashlib.sha256(b"%d" % n).hexdigest()


def looks(firm: Firm, documents: int) -> dict[str, Callable[[], object]]:
    """Return what people and programs look for, each by the words it is shown under."""
    chance = random.Random(1)

    def any_one() -> int:
        return chance.randint(1, documents)

    return {
        "a document by number, its life, its twins": lambda: journal.twins(
            firm, journal.document(firm, journal.of_document(firm, any_one())[0].document)
        ),
        "a document by the first 12 digits of its hash": lambda: journal.with_hash(firm, _sha256(any_one())[:12]),
        "the life of a dossier": lambda: journal.of_dossier(firm, f"{any_one() % DOSSIERS:06}"),
        "the last 100 steps": lambda: journal.latest(firm),
        "the first page of 50 that wait": lambda: waiting_list.waiting(firm, most=50),
        "the last page of 50 that wait": lambda: waiting_list.waiting(firm, documents - 50, 50),
        "how many wait": lambda: waiting_list.count(firm),
        "what fails": lambda: failing.every(firm),
        "the facts for alarms, each minute": lambda: quick_facts(firm),
        "the facts for alarms, twice a day": lambda: all_facts(firm, {}),
    }


def measure(home: Path, documents: int) -> dict[str, list[float]]:
    """Fill a firm's database and return the milliseconds of each look, 20 times (the last one: 3 times)."""
    with Firm(home) as firm:
        fill(firm, documents)
        found = {}
        for words, look in looks(firm, documents).items():
            times = []
            for _ in range(3 if "twice" in words else 20):
                began = time.perf_counter()
                look()
                times.append(1000 * (time.perf_counter() - began))
            found[words] = times
    return found


def main() -> None:
    """Measure both databases and print medians and slowest in milliseconds."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.journal")
    words.add_argument("--rows", type=int, default=1_000_000)
    documents = words.parse_args().rows // len(STEPS)
    with working_folder() as folder, running_postgresql() as server:
        (folder / "server" / "firm").mkdir(parents=True)
        (folder / "server" / "firm" / "database.url").write_text(server.new_database())
        embedded = measure(folder / "embedded", documents)
        there = measure(folder / "server", documents)
    print(f"{documents * len(STEPS):,} journal rows, {documents:,} documents; ms, median (slowest)")
    print("| looked for | SQLite | PostgreSQL |\n|---|---|---|")
    for key, times in embedded.items():
        print(
            f"| {key} | " + " | ".join(f"{statistics.median(t):.1f} ({max(t):.1f})" for t in (times, there[key])) + " |"
        )


if __name__ == "__main__":
    main()
