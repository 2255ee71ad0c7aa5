"""A file in a message, and what it is for the firm; never decides to which dossier it goes."""

import enum
from dataclasses import dataclass
from functools import cached_property

from mail_intake import kinds
from transfer.fingerprints import Fingerprint, measure_bytes
from transfer.safe_names import safe_name


class Fate(enum.StrEnum):
    """What a file in a message is for the firm."""

    DOCUMENT = "document"
    HELD = "held"
    LEFT_OUT = "left_out"


@dataclass(frozen=True)
class Part:
    """A file in a message. ``path`` tells it from all others of the message, and is the same at each reading.

    ``name`` is safe; ``reason`` is a code, why it is held or left out.
    """

    path: str
    name: str
    fate: Fate
    reason: str | None
    content: bytes

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """The size and hash of its bytes."""
        return measure_bytes(self.content)


def file_name(name: str, kind: str, content: bytes) -> str:
    """Return a safe name, with the extension that the bytes call for where there is none."""
    if not name:
        return f"document{kinds.extension_for(kind, content)}"
    name = safe_name(name)  # first: of a name of strange signs alone nothing stays, and an extension alone is no name
    known = kinds.sniffed(content)
    if "." not in name and known not in {"", ".ole", ".tnef"}:
        name = safe_name(name + known)
    return name
