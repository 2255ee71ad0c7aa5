"""How fast the console answers with 1,000,000 documents and 5,000 that wait: medians on the server, and its memory.

python benchmarks/console.py [--documents 1000000] [--waiting 5000]
"""

import argparse
import hashlib
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from console_site import PASSWORD, Site, Visitor, running_console
from sample_documents import pdf
from sqlalchemy import insert, update

from dossiers import tables, users
from dossiers.firm import Firm
from dossiers.users import Passwords, Role

ROUNDS = 15
DOSSIERS = 2000
BATCH = 20_000


def fill(firm: Firm, documents: int, waiting: int) -> None:
    """Write documents over two years, one in fifty not processed yet; the last ones wait, with a file each."""
    rows = [
        {"number": f"{n:06}", "name": f"Client {n:04}", "language": "fr", "template": "{root}/{dossier}/{year}"}
        for n in range(1, DOSSIERS + 1)
    ]
    with firm.database.write() as connection:
        connection.execute(insert(tables.dossiers), rows)
    start = datetime.now(UTC) - timedelta(days=730)
    step = timedelta(days=730) / (documents + waiting)
    vocabulary = [{"id": n, "word": f"word{n:05}"} for n in range(20_000)] + [{"id": 20_000, "word": "facture"}]
    with firm.database.write() as connection:
        connection.execute(insert(tables.search_words), vocabulary)
    for first in range(0, documents + waiting, BATCH):
        numbers = range(first, min(first + BATCH, documents + waiting))
        with firm.database.write() as connection:
            connection.execute(insert(tables.documents), [_row(firm, n, documents, start + step * n) for n in numbers])
            places = [{"word": (n * 7 + k * 331) % 20_000, "document": n + 1} for n in numbers for k in range(8)]
            connection.execute(insert(tables.search_places), places)
            connection.execute(insert(tables.search_places), [{"word": 20_000, "document": n + 1} for n in numbers])
    for n in range(documents, documents + 40):
        content = pdf(f"scan {n}")
        (firm.waiting_folder / f"scan {n}.pdf").write_bytes(content)
        real = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        with firm.database.write() as connection:
            connection.execute(update(tables.documents).where(tables.documents.c.id == n + 1).values(real))


def _row(firm: Firm, n: int, documents: int, moment: datetime) -> dict[str, object]:
    waits = n >= documents
    return {
        "origin": "mail" if n % 3 else "ftp",
        "source": "a mailbox",
        "path": f"/{n}",
        "dossier": None if waits else f"{n % DOSSIERS + 1:06}",
        "reason": "waiting.no_dossier" if waits else None,
        "name": f"scan {n}.pdf",
        "folder": str(firm.waiting_folder if waits else firm.root / f"{n % DOSSIERS + 1:06}"),
        "placed": f"scan {n}.pdf",
        "size": 100_000 + n,
        "sha256": f"{n:064x}",
        "state": "removed",
        "found": moment,
        "changed": moment,
        "attempts": 0,
        "sender": f"client{n % DOSSIERS}@example.be",
        "processed": None if waits or n % 50 == 0 else moment,
    }


def measure(visitor: Visitor, path: str) -> tuple[float, int]:
    """Return the median of milliseconds until a page is there, and its bytes."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answer = visitor.get(path)
        taken.append((time.perf_counter() - start) * 1000)
        assert answer.status == 200, (path, answer.status)
    return statistics.median(taken), len(answer.body)


def measure_assign(visitor: Visitor, first: int) -> float:
    """Return the median of milliseconds from filing a document to the next one's page."""
    taken = []
    for number in range(first, first + ROUNDS):
        visitor.get(f"/waiting/{number}")
        start = time.perf_counter()
        visitor.follow(f"/waiting/{number}/assign", {"dossier": "000204"})
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def resident(site: Site) -> int:
    """Return the memory of the console's process in MiB."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        words = status.read_bytes().split(b"\0")
        if b"console" in words and str(site.home).encode() in words:
            line = next(one for one in (status.parent / "status").read_text().splitlines() if one.startswith("VmRSS"))
            return int(line.split()[1]) // 1024
    raise AssertionError("the console is not there")


def main() -> None:
    """Fill a firm, and print what each page takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=5000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Firm(home) as firm:
            fill(firm, args.documents, args.waiting)
            users.add(firm, "anne", Role.ADMINISTRATOR, "en", Passwords().hash(PASSWORD))
        first = args.documents + 1
        with running_console(home) as site:
            visitor = site.signed_in()
            pages = ["/", "/waiting", f"/waiting/{first + 2500}", "/documents", "/documents?dossier=000204"]
            pages += [f"/documents?{sought}" for sought in ("state=all", "q=word01234", "q=facture", "q=fact+word00")]
            pages += [f"/documents/{first // 2}", "/choices/dossiers?dossier=client+0204", "/users", "/deeds", "/me"]
            for path in pages:
                milliseconds, size = measure(visitor, path)
                print(f"{path:<45} {milliseconds:7.1f} ms {size / 1000:7.1f} kB")
            start = time.perf_counter()
            visitor.get(f"/documents/{first}/preview")
            visitor.get(f"/documents/{first}/pages/1")
            print(f"{'first preview':<45} {(time.perf_counter() - start) * 1000:7.1f} ms")
            print(f"{'preview again':<45} {measure(visitor, f'/documents/{first}/pages/1')[0]:7.1f} ms")
            print(f"{'assign and next':<45} {measure_assign(visitor, first + 1):7.1f} ms")
            print(f"{'memory':<45} {resident(site):7} MiB")


if __name__ == "__main__":
    main()
