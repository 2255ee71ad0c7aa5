"""The records of the history: what was sent, and what is about to be; never reads or writes the history itself."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from transfer.fingerprints import Fingerprint
from transfer.receipts import Proof, Receipt, confirm
from uploader.events import Fate
from uploader.local_file import Seen


@dataclass(frozen=True)
class SentFile:
    """One line of the history: a version of a local file, where it is stored, and what became of it on both sides.

    ``received_at`` and ``collected_at`` (by the firm) are what the server told; None while it did not.
    """

    number: int
    path: str
    size: int
    mtime_ns: int
    sha256: str
    stored_as: str
    proof: Proof
    sent_at: datetime
    fate: Fate
    kept_as: str | None
    received_at: datetime | None = None
    collected_at: datetime | None = None

    def receipt_for(self, source: Path, found: Fingerprint) -> Receipt:
        """Make the receipt anew for ``source``, whose bytes were just measured as ``found``.

        Raises ``receipt.hash_differs`` when they are not the bytes that were sent.
        """
        confirm(str(source), found, Fingerprint(self.size, self.sha256), self.stored_as)
        told = {
            Proof.HASH: Fingerprint(self.size, self.sha256),
            Proof.SIZE: Fingerprint(self.size, None),
            Proof.REPLY: Fingerprint(None, None),
        }
        return confirm(str(source), found, told[self.proof], self.stored_as)


@dataclass(frozen=True)
class Placed:
    """The remote path a file is about to get, and the unfinished one it is renamed from, if it is."""

    stored_as: str
    part: str | None


@dataclass(frozen=True)
class ToRecord:
    """A file that is stored at the other side, and where it will be kept here, if it will."""

    receipt: Receipt
    seen: Seen
    kept_as: Path | None = None


@dataclass(frozen=True)
class Settled:
    """What became of the local file of a line."""

    line: int
    fate: Fate
    kept_as: Path | None = None
