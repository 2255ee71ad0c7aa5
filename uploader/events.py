"""What an upload tells while it runs, for the window and the silent mode alike; never says it in a human language."""

import enum
from dataclasses import dataclass
from pathlib import Path

from transfer.failures import Failure
from transfer.receipts import Receipt


class Fate(enum.StrEnum):
    """What became of a local file: SENT is still in its place with its receipt, the others are settled.

    RESTORED was kept, and then put back into its folder by a person.
    """

    SENT = "sent"
    REMOVED = "removed"
    KEPT = "kept"
    RECYCLED = "recycled"
    RESTORED = "restored"


@dataclass(frozen=True)
class Started:
    """A connection took up a file of ``size`` bytes."""

    path: Path
    size: int


@dataclass(frozen=True)
class Progress:
    """So many bytes of the file have been sent."""

    path: Path
    sent: int


@dataclass(frozen=True)
class Pausing:
    """An attempt failed; the next one comes after ``seconds``. ``path`` is None while the server is not reached."""

    path: Path | None
    failure: Failure
    seconds: float


@dataclass(frozen=True)
class Sent:
    """A file is stored at the other side. ``trouble`` says why the local file stayed, when it should have gone."""

    path: Path
    receipt: Receipt
    fate: Fate
    kept_as: Path | None = None
    trouble: Failure | None = None


@dataclass(frozen=True)
class Failed:
    """A file was not sent; it stands untouched where it was."""

    path: Path
    failure: Failure


@dataclass(frozen=True)
class Finished:
    """The upload is over: how many files were sent, failed, or not begun; ``stopped_by`` is what ended it early.

    ``stayed`` counts those of the sent ones that could not be removed here.
    """

    sent: int
    failed: int
    stayed: int
    left: int
    stopped_by: Failure | None = None


Event = Started | Progress | Pausing | Sent | Failed | Finished
