"""The size and SHA-256 of bytes, taken while they pass; never says what they are compared for."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 256 * 1024
"""Bytes moved at a time."""


@dataclass(frozen=True)
class Fingerprint:
    """What is known of some bytes: size in bytes, SHA-256 in lower-case hex; None where the other side cannot tell."""

    size: int | None
    sha256: str | None


class Measure:
    """Adds up the fingerprint of bytes as they pass."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def add(self, block: bytes | memoryview) -> None:
        """Count and hash one block."""
        self.size += len(block)
        self._hash.update(block)

    @property
    def sha256(self) -> str:
        """SHA-256 of all that has passed so far, in hex."""
        return self._hash.hexdigest()

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of all that has passed so far."""
        return Fingerprint(self.size, self.sha256)


def blocks(source: BinaryIO) -> Iterator[bytes]:
    """Yield a file's bytes in blocks of 256 KiB."""
    while block := source.read(BLOCK):
        yield block


def measure(source: BinaryIO) -> Fingerprint:
    """Read a file to its end and return its fingerprint."""
    measured = Measure()
    for block in blocks(source):
        measured.add(block)
    return measured.fingerprint()


def measure_bytes(content: bytes) -> Fingerprint:
    """Return the fingerprint of bytes in memory."""
    measured = Measure()
    measured.add(content)
    return measured.fingerprint()


def checksum(source: BinaryIO, kind: str) -> str:
    """Read a file to its end and return its ``md5`` or ``crc32`` in hex, for devices that ask for no better."""
    if kind == "md5":
        digest = hashlib.md5(usedforsecurity=False)
        for block in blocks(source):
            digest.update(block)
        return digest.hexdigest()
    value = 0
    for block in blocks(source):
        value = zlib.crc32(block, value)
    return f"{value:08x}"
