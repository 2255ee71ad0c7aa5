"""The firm's rooms inside the test's own process, with a clock that the test turns; never a program of its own."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from dossiers import dossier as dossiers
from dossiers.delivery import Delivery, Outcome, Received
from dossiers.designation import Lease, running_rounds
from dossiers.disk import Disk, Part, failures
from dossiers.document import Arrival, Destination, Document
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from transfer.fingerprints import Fingerprint, Measure

START = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is turned; its ``wait`` turns it, and notes what it was asked."""

    def __init__(self) -> None:
        self.now = START
        self.waited: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def wait(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waited.append(seconds)
        self.turn(seconds=seconds)


class DiedError(BaseException):
    """Stands for the end of the program where no other process is needed to see what is left on the disk."""


def dies_at(step: str) -> Callable[[str], None]:
    """Return what ends the program at a named step."""

    def reached(at: str) -> None:
        if at == step:
            raise DiedError

    return reached


def writing(content: bytes) -> Callable[[BinaryIO], Fingerprint]:
    """Return what a source does that holds these bytes."""

    def fetch(target: BinaryIO) -> Fingerprint:
        measured = Measure()
        for start in range(0, len(content), 1000):
            target.write(content[start : start + 1000])
            measured.add(content[start : start + 1000])
        return measured.fingerprint()

    return fetch


class Desk:
    """One holder of the lease, delivering documents that a test makes up."""

    def __init__(self, firm: Firm, lease: Lease, disk: Disk | None, reached: Callable[[str], None]) -> None:
        self.firm = firm
        self.lease = lease
        self.delivery = Delivery(firm, lease, disk, reached)

    def arrival(self, name: str, content: bytes, number: str | None, path: str | None = None) -> Arrival:
        """Return an arrival for a dossier, or for the waiting list."""
        if number is None:
            to = Destination.waiting(self.firm.waiting_folder, "waiting.no_dossier")
        else:
            to = Destination.in_dossier(dossiers.find(self.firm, number), self.firm.root, self.firm.clock())
        return Arrival("ftp", "a test", path or f"/{number}/{name}", name, to, len(content), "20261124093000")

    def receive(self, *files: tuple[str, bytes], number: str | None = "000204") -> list[Received]:
        """Take documents up to the end of step 2."""
        arrivals = [
            self.arrival(name, content, number, f"/{number}/{n}/{name}") for n, (name, content) in enumerate(files)
        ]
        documents = self.delivery.discover(arrivals, {})
        return [
            self.delivery.receive(document, arrival, writing(content))
            for document, arrival, (_, content) in zip(documents, arrivals, files, strict=True)
        ]

    def deliver(self, *files: tuple[str, bytes], number: str | None = "000204") -> Outcome:
        """Deliver documents to a dossier, or to the waiting folder for None."""
        return self.delivery.store(self.receive(*files, number=number))

    def open(self) -> list[Document]:
        """Return the documents that still want something done."""
        return self.delivery.open_documents("ftp")


class SmallDisk(Disk):
    """A disk with room for 256 KiB in all."""

    def __init__(self) -> None:
        self._left = 256 * 1024

    def create(self, part: Path, anchor: Path, beat: Callable[[], None] = lambda: None) -> Part:
        """Make a part that meets the end of the disk."""
        made = super().create(part, anchor, beat)
        write = made.write

        def limited(block: bytes, /) -> int:
            with failures(part.parent):
                if len(block) > self._left:
                    raise OSError(errno.ENOSPC, "no room")
            self._left -= len(block)
            return write(block)

        made.write = limited  # type: ignore[method-assign, assignment]
        return made

    def drop(self, part: Part) -> None:
        """Give its room back."""
        self._left += part.tell()
        super().drop(part)


@contextmanager
def desk(firm: Firm, disk: Disk | None = None, reached: Callable[[str], None] = lambda _: None) -> Iterator[Desk]:
    """Hold the lease and deliver."""
    with running_rounds(firm) as lease:
        yield Desk(firm, lease, disk, reached)


def opened(home: Path, clock: Clock, machine: str = "PC-1") -> Firm:
    """Open a firm whose time is the test's."""
    return Firm(home, clock=clock, machine=machine)


def add_dossiers(firm: Firm, *numbers: str) -> None:
    """Declare dossiers."""
    for number in numbers:
        dossiers.add(firm, Dossier(number, f"Client {number}", "fr"))


def folder(firm: Firm, number: str = "000204") -> Path:
    """Return the folder that the dossier's documents go to now."""
    return dossiers.find(firm, number).folder(firm.root, firm.clock())


def contents(place: Path) -> dict[str, bytes]:
    """Return every file of a folder, hidden ones too: name -> bytes."""
    return {name: (place / name).read_bytes() for name in sorted(os.listdir(place))} if place.is_dir() else {}


def codes(outcome: Outcome) -> Sequence[str]:
    """Return the codes of what failed."""
    return [failure.code for _, failure in outcome.failed]
