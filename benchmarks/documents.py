"""Makes the documents that are measured with: sizes of real scans, bytes of their own; never the same name twice."""

import os
import random
from pathlib import Path

COUNT = 2000
TOTAL = 257_000_000
"""Bytes of 2,000 documents together."""


def make(folder: Path, count: int = COUNT) -> list[Path]:
    """Write ``count`` files whose sizes are spread like scans and invoices: many small ones, few of some megabytes.

    Each starts and ends as a PDF does, since that is what a server may look at; the same sizes come in every run.
    """
    spread = random.Random(2026)
    weights = [spread.lognormvariate(0, 1.1) for _ in range(count)]
    scale = TOTAL * count / COUNT / sum(weights)
    filling = os.urandom(8 * 1024 * 1024)
    paths = []
    for n, weight in enumerate(weights):
        size = min(max(int(weight * scale), 2_000), len(filling))
        at = spread.randrange(len(filling) - size + 1)
        path = folder / f"scan_{n:05}.pdf"
        with path.open("wb") as file:
            file.write(b"%%PDF-1.4\n%%%08d\n" % n)
            file.write(memoryview(filling)[at : at + size])
            file.write(b"\n%%EOF\n")
        paths.append(path)
    return paths
