"""What a person can look at of a document: page images, a text, a mail, an invoice; never reads a file in this process.

A program of its own reads the file, once for what is known of it and its first page, and again for later pages. What it
tells is kept in a folder by the hash of the document's bytes, up to a bound, oldest looks first out.
"""

import json
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from console.preview_reader import BOUNDS, HEAD
from dossiers import confined
from transfer.failures import PermanentFailure, TemporaryFailure

ROOM = 256 * 2**20
"""Bytes of previews that are kept."""

_AT_ONCE = 2  # programs that read files at the same time; more would only slow each other down
_SLOW_REMEMBERED = 32  # files that took too long: nobody waits for them twice
_KINDS = ("pages", "text", "mail", "invoice")
_CODES = (
    "preview.empty",
    "preview.encrypted",
    "preview.damaged",
    "preview.too_large",
    "preview.no_view",
    "preview.no_page",
    "invoice.damaged",
    "invoice.has_dtd",
)


@dataclass(frozen=True)
class Look:
    """What is known of a document: ``kind`` is pages, text, mail or invoice.

    ``text`` is that of its first pages, for searching; ``shown`` the text to show; ``mail`` holds from, to, cc, date,
    subject and files (name, size); ``invoice`` the fields of :class:`dossiers.invoice.Invoice`.
    """

    kind: str
    pages: int = 0
    text: str = field(default="", repr=False)
    shown: str = field(default="", repr=False)
    mail: dict[str, Any] | None = field(default=None, repr=False)
    invoice: dict[str, Any] | None = field(default=None, repr=False)


class Previews:
    """The previews of a firm's documents, kept in ``folder``; use it from any thread.

    A document is named by the SHA-256 of its bytes and by where they are. What cannot be shown is a failure with a
    ``preview.`` or ``invoice.`` code.
    """

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder = folder
        self._room = room
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._taken = sum(path.stat().st_size for path in self._folder.iterdir())
        self._turns = [threading.Lock() for _ in range(64)]
        self._at_once = threading.Semaphore(_AT_ONCE)
        self._keeping = threading.Lock()
        self._slow: list[str] = []

    def look(self, sha256: str, path: Path) -> Look:
        """Return what is known of a document; the first time takes some tenths of a second, 15 at worst."""
        with self._turn(sha256):
            facts = self._kept_facts(sha256) or self._read(sha256, path, 1)
        if "failure" in facts:
            raise PermanentFailure(facts["failure"])
        return Look(**{each.name: facts[each.name] for each in fields(Look) if each.name in facts})

    def page(self, sha256: str, path: Path, number: int) -> bytes:
        """Return a page, counted from 1, as WebP."""
        with self._turn(sha256):
            image = self._kept(f"{sha256}.{number}.webp")
            if image is None:
                facts = self._kept_facts(sha256) or {}
                if "failure" in facts:
                    raise PermanentFailure(facts["failure"])
                if not 1 <= number <= facts.get("pages", number):
                    raise PermanentFailure("preview.no_page")
                failure = self._read(sha256, path, number).get("failure")
                image = self._kept(f"{sha256}.{number}.webp")
                if image is None:
                    raise PermanentFailure(failure or "preview.damaged")
        return image

    def _turn(self, sha256: str) -> threading.Lock:
        """Let those who want the same document at once wait for one reading of it."""
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise ValueError("a document is named by its SHA-256 in hex")
        return self._turns[int(sha256[:8], 16) % len(self._turns)]

    def _read(self, sha256: str, path: Path, number: int) -> dict[str, Any]:
        """Have a document read, keep what is told of it, and return what is known."""
        if sha256 in self._slow:
            raise PermanentFailure("preview.too_slow")
        try:
            with self._at_once, path.open("rb") as source:
                told = confined.run("console.preview_reader", [str(number)], source, BOUNDS)
        except OSError:
            raise TemporaryFailure("preview.missing") from None
        facts: dict[str, Any] = {}
        pages = 0
        for page, content in _frames(told.output):
            if page == 0:
                facts |= _facts(content)
            elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
                self._keep(f"{sha256}.{page}.webp", content)
                pages += 1
        if not told.whole and not facts and not pages:
            if told.too_slow:
                self._slow = [*self._slow, sha256][-_SLOW_REMEMBERED:]
                raise PermanentFailure("preview.too_slow")
            facts = {"failure": "preview.too_hard"}
        if number == 1 and facts:
            self._keep(f"{sha256}.json", json.dumps(facts).encode())
        return facts

    def _kept_facts(self, sha256: str) -> dict[str, Any] | None:
        kept = self._kept(f"{sha256}.json")
        return None if kept is None else json.loads(kept)

    def _kept(self, name: str) -> bytes | None:
        try:
            content = (self._folder / name).read_bytes()
            os.utime(self._folder / name)
        except OSError:
            return None
        return content

    def _keep(self, name: str, content: bytes) -> None:
        with self._keeping:
            handle, draft = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(draft).replace(self._folder / name)
            self._taken += len(content)
            if self._taken > self._room:
                self._make_room()

    def _make_room(self) -> None:
        """Forget the previews that nobody has looked at for longest, until a quarter of the room is free."""
        kept = sorted(((path.stat().st_mtime, path) for path in self._folder.iterdir()), key=lambda each: each[0])
        sizes = {path: path.stat().st_size for _, path in kept}
        self._taken = sum(sizes.values())
        for _, path in kept:
            if self._taken <= self._room * 3 // 4:
                break
            path.unlink(missing_ok=True)
            self._taken -= sizes[path]


def _frames(output: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the whole frames that a reader wrote before it ended."""
    at = 0
    while at + HEAD.size <= len(output):
        number, size = HEAD.unpack_from(output, at)
        at += HEAD.size
        if at + size > len(output):
            break
        yield number, output[at : at + size]
        at += size


def _facts(content: bytes) -> dict[str, Any]:
    """Return what a reader told, as far as it can be true."""
    facts = json.loads(content)
    if "failure" in facts:
        return {"failure": facts["failure"] if facts["failure"] in _CODES else "preview.damaged"}
    return facts if facts.get("kind", _KINDS[0]) in _KINDS else {"failure": "preview.damaged"}
