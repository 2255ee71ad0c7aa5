"""Reads what Navette's server answers about documents a sender deposited earlier; never asks it."""

import re
from dataclasses import dataclass
from datetime import datetime

_FACT = re.compile(r"[ ]*(Path|Received|Size|SHA-256|Collected): (.*)")


@dataclass(frozen=True)
class Followed:
    """A document at the server: its path from the fiduciary's root, its bytes, when it came, and when it was collected.

    ``collected_at`` is None while it waits for the firm.
    """

    path: str
    sha256: str
    received_at: datetime
    collected_at: datetime | None


def followed(reply: str) -> list[Followed]:
    """Read the reply to ``SITE RECEIPT``; what is not told in full is left out."""
    told: list[dict[str, str]] = []
    for line in reply.splitlines():
        if found := _FACT.fullmatch(line):
            if found[1] == "Path":
                told.append({})
            if told:
                told[-1][found[1]] = found[2]
    return [one for one in map(_one, told) if one is not None]


def _one(told: dict[str, str]) -> Followed | None:
    try:
        received, collected = told["Received"], told["Collected"]
        return Followed(
            told["Path"],
            told["SHA-256"].lower(),
            datetime.fromisoformat(received),
            None if collected == "not yet" else datetime.fromisoformat(collected),
        )
    except (KeyError, ValueError):
        return None
