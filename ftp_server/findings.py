"""What a look at a server's surroundings finds: one sentence each, by its code; never says how it was found."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the worst one of all is the exit code."""

    FINE = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """One sentence: ``code`` names it, ``values`` fill it."""

    level: Level
    code: str
    values: dict[str, str | int | None]


def fine(code: str, **values: str | int | None) -> Finding:
    """Return that something is as it should be."""
    return Finding(Level.FINE, code, values)


def fault(code: str, level: Level, **values: str | int | None) -> Finding:
    """Return that something is not; the sentence also says what to do."""
    return Finding(level, code, values)


def worst(findings: list[Finding]) -> Level:
    """Return the worst level."""
    return max((finding.level for finding in findings), default=Level.FINE)
