"""Receipts: the proof that bytes are stored elsewhere, and the only key to removing their source; never removes it."""

import enum
from dataclasses import dataclass

from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint


class Proof(enum.StrEnum):
    """What a receipt rests on, strongest first: the stored bytes' hash, their size, or only the server's 226."""

    HASH = "hash"
    SIZE = "size"
    REPLY = "reply"


@dataclass(frozen=True)
class Receipt:
    """Says that the bytes of ``source`` are stored under ``stored_as``; made only by :func:`confirm`.

    ``source`` names what may now be removed (a local path, a remote path); ``size`` is in bytes.
    """

    source: str
    stored_as: str
    size: int
    sha256: str
    proof: Proof


def confirm(source: str, sent: Fingerprint, stored: Fingerprint, stored_as: str) -> Receipt:
    """Compare what was sent with what is stored, and make the receipt.

    ``sent`` is complete; ``stored`` holds what the storing side could tell of the bytes it keeps. Raises
    ``receipt.size_differs`` or ``receipt.hash_differs`` when they are not the same bytes: the source then stays.
    """
    if sent.size is None or sent.sha256 is None:
        raise ValueError("the sender knows its own bytes")
    if stored.size is not None and stored.size != sent.size:
        raise PermanentFailure("receipt.size_differs", file=stored_as, sent=sent.size, stored=stored.size)
    if stored.sha256 is not None and stored.sha256.lower() != sent.sha256:
        raise PermanentFailure("receipt.hash_differs", file=stored_as)
    proof = Proof.HASH if stored.sha256 else Proof.SIZE if stored.size is not None else Proof.REPLY
    return Receipt(source, stored_as, sent.size, sent.sha256, proof)
