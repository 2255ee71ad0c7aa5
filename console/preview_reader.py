"""A program of its own that turns a file into what a person can look at; never runs in the console's process.

``python -m console.preview_reader PAGE`` reads the file on its input and writes frames, each after its number and size:
page images as WebP under the page's number, and what else is known of the file as JSON under 0. What is known first is
written first, so that a program which has to be ended has told something.
"""

import json
import struct
import sys
import time
from typing import Any, BinaryIO

from dossiers.confined import Bounds, keep_to
from transfer.failures import PermanentFailure

HEAD = struct.Struct(">II")
"""In front of each frame: a page's number or 0, and how many bytes follow."""

BOUNDS = Bounds(memory=1024 * 2**20, work=15, patience=15.0, output=64 * 2**20)
AHEAD_SECONDS, AHEAD_PAGES = 1.0, 8
"""How long, and how many, pages behind the one that was asked for are made while the program runs anyway."""

LONGEST_TEXT = 20_000
"""So many characters of a document's text are kept: enough to find names and numbers in."""


def main() -> None:
    """Read the file on the input; whatever a library does on one that was made to hurt it ends this program."""
    started = time.monotonic()
    keep_to(BOUNDS)
    page = int(sys.argv[1])
    try:
        _show(sys.stdin.buffer, page, lambda: time.monotonic() - started < AHEAD_SECONDS)
    except PermanentFailure as failure:
        _tell({"failure": failure.code})


def _show(source: BinaryIO, page: int, early: Any) -> None:
    from console import preview_pages, preview_words

    start = source.read(4096)
    source.seek(0)
    if not start:
        raise PermanentFailure("preview.empty")
    if preview_words.is_mail(start) or not preview_pages.is_paged(start):
        _tell(preview_words.facts(source.read(), LONGEST_TEXT))
        return
    pages = preview_pages.opened(source, start)
    if page > pages.count:
        raise PermanentFailure("preview.no_page")
    if page == 1:
        image = pages.image(1)
        _tell({"kind": "pages", "pages": pages.count})
        _write(1, image)
        _tell({"text": pages.text(LONGEST_TEXT)})
        return
    for number in range(page, min(pages.count, page + AHEAD_PAGES) + 1):
        if number == page or early():
            _write(number, pages.image(number))


def _tell(facts: dict[str, Any]) -> None:
    _write(0, json.dumps(facts).encode())


def _write(number: int, content: bytes) -> None:
    output = sys.stdout.buffer
    output.write(HEAD.pack(number, len(content)) + content)
    output.flush()


if __name__ == "__main__":
    main()
