"""Words, medians and tables that all measurements share; never measures."""

import argparse
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """A figure of every round, with how it is written."""

    values: list[float]
    form: str = ",.0f"

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        return f"{self.median:{self.form}} ({low:{self.form}}-{high:{self.form}})"


def words(name: str, quick: str) -> argparse.ArgumentParser:
    """Return the words that every measurement understands; ``quick`` says what --quick makes of it."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", action="append", metavar="SERVER", help="measure only servers so named (repeatable)")
    return parser


def chosen(servers: Sequence[str], only: Sequence[str] | None) -> list[str]:
    """Return the servers whose names begin with one of the words, or all when there is none."""
    return [name for name in servers if not only or any(name.lower().startswith(word.lower()) for word in only)]


def ratio(one: Seen, other: Seen | None) -> str:
    """Return how many times ``other`` the first is, by their medians."""
    return f"{one.median / other.median:.2f}" if other and other.median else "-"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    print()
