"""A document from the moment it is found at its source, and how far it is; never touches its bytes."""

import enum
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Row

from dossiers.dossier import Dossier
from transfer.fingerprints import Fingerprint
from transfer.in_progress import OWN_PREFIX


class State(enum.StrEnum):
    """How far a document is between its source and its folder; ``dossiers.delivery`` says what each one means."""

    DISCOVERED = "discovered"
    PLACING = "placing"
    STORED = "stored"
    REMOVED = "removed"
    VANISHED = "vanished"


OPEN = (State.DISCOVERED, State.PLACING, State.STORED)
"""The states that still want something done."""


ATTEMPTS = 10
"""After so many failed attempts, with pauses that grow to a day, a document waits for a person to look at it."""


@dataclass(frozen=True)
class Destination:
    """The folder a document goes to: a dossier's, or the waiting folder with the code of the reason.

    ``anchor`` is the part of the folder that must exist already; what is missing below it is made.
    """

    folder: Path
    anchor: Path
    dossier: str | None = None
    reason: str | None = None

    @classmethod
    def in_dossier(cls, dossier: Dossier, root: Path, moment: datetime, kind: str | None = None) -> Self:
        """Return where a document of that moment and kind goes in a dossier."""
        return cls(dossier.folder(root, moment, kind or ""), dossier.anchor(root), dossier=dossier.number)

    @classmethod
    def waiting(cls, folder: Path, reason: str) -> Self:
        """Return the waiting folder, with the reason why a document waits."""
        return cls(folder, folder, reason=reason)


@dataclass(frozen=True)
class Arrival:
    """Bytes that wait at a source, what the source tells of them, and where they go.

    ``origin`` is the kind of source (``ftp``, ``mail``), ``source`` names which one, ``path`` the place there;
    ``modified`` is the source's own word for the moment of change; ``name`` is a safe name; ``kind`` is what its folder
    there or its content says it is (``Achats``). ``sender`` is the login or the address it came from, ``peer`` the
    machine, ``receipt`` the number its sender was given, each where the source tells. ``threat`` is what a virus
    scanner said of the bytes, if it said anything but that they are clean.
    """

    origin: str
    source: str
    path: str
    name: str
    to: Destination
    size: int | None = None
    modified: str | None = None
    sha256: str | None = None
    kind: str | None = None
    sender: str | None = None
    peer: str | None = None
    receipt: str | None = None
    threat: str | None = None


@dataclass(frozen=True)
class Document:
    """One row of the documents; ``size`` and ``sha256`` are of the bytes we hold, once we hold them."""

    id: int
    origin: str
    source: str
    path: str
    source_size: int | None
    source_modified: str | None
    source_sha256: str | None
    dossier: str | None
    reason: str | None
    name: str
    folder: Path
    placed: str | None
    size: int | None
    sha256: str | None
    state: State
    found: datetime
    failure: str | None
    attempts: int
    next_try: datetime | None
    kind: str | None = None
    sender: str | None = None
    peer: str | None = None
    source_receipt: str | None = None
    duplicate_of: int | None = None
    processed: datetime | None = None
    refused: datetime | None = None
    threat: str | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """The size and hash of the bytes we hold."""
        return Fingerprint(self.size, self.sha256)

    @property
    def waits_for_a_person(self) -> bool:
        """Whether it failed so often that it is not tried again until a person says so, or its source changes."""
        return self.attempts >= ATTEMPTS

    @property
    def part(self) -> Path:
        """The hidden name of its bytes until they are placed, in the folder they go to."""
        return part_name(self.folder, self.id)

    @property
    def final(self) -> Path:
        """The place it has, or is getting, in its folder."""
        if self.placed is None:
            raise ValueError("a document has its place once it is being placed")
        return self.folder / self.placed


def part_name(folder: Path, document: int) -> Path:
    """Return the hidden name in a folder under which a document's bytes gather."""
    return folder / f"{OWN_PREFIX}{document}"


def from_row(row: Row[Any]) -> Document:
    """Return the document that a row of the table holds."""
    values = {field.name: getattr(row, field.name) for field in fields(Document)}
    return Document(**values | {"folder": Path(row.folder), "state": State(row.state)})
