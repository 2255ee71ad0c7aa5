"""Takes up to 50 remote files together from one connection to their folders; never removes one without its receipt."""

import logging
from collections.abc import Callable, Sequence
from typing import BinaryIO

from dossiers.delivery import Delivery, Received
from dossiers.designation import LOST
from dossiers.document import Arrival, Document
from fetcher.remote_files import Destinations, looks, present_bytes
from transfer.evidence import Evidence, weigh
from transfer.failures import Failure, TemporaryFailure
from transfer.fingerprints import Fingerprint
from transfer.ftp_session import FtpSession, RemoteFile
from transfer.receipts import Receipt

Told = Callable[[Document, Failure | None], None]
"""Told each document that was stored, and each that failed with its failure; from any thread."""

BROKEN = frozenset({"session.interrupted", "session.unreachable", "session.no_data_connection"})
"""The failures after which a connection is of no more use."""

FULL = frozenset({"delivery.disk_full", "database.full"})
"""The failures that no other file of this round would escape."""

Candidate = tuple[RemoteFile, Document | None]
"""A file to fetch, and its document if an earlier round discovered it."""

_log = logging.getLogger("navette.fetcher")


class Batches:
    """Delivers batches of one server's files, for several connections at once."""

    def __init__(
        self, delivery: Delivery, destinations: Destinations, source: str, stopping: Callable[[], bool], told: Told
    ) -> None:
        self._delivery = delivery
        self._destinations = destinations
        self._source = source
        self._stopping = stopping
        self._told = told

    def deliver(self, session: FtpSession, candidates: Sequence[Candidate]) -> tuple[list[Candidate], Failure | None]:
        """Fetch, store and remove files; one that fails is recorded and keeps no other back.

        Files whose folder cannot be reached stay where they are. Returns the files that were not reached, and the
        failure of :data:`BROKEN` or :data:`FULL` that ended the batch early if one did; what had come whole by then is
        stored.
        """
        pauses = self._delivery.pauses
        candidates = [one for one in candidates if not pauses.holds_back(self._destinations.of(one[0]), one[0].path)]
        files = [file for file, _ in candidates]
        if not files:
            return [], None
        try:
            before = looks(session, files)
            told = session.hashes([file.path for file in files])
        except Failure as failure:
            return list(candidates), failure
        arrivals = [self._destinations.arrival(self._source, file, sha) for file, sha in zip(files, told, strict=True)]
        known = {file.path: document for file, document in candidates if document}
        documents = self._delivery.discover(arrivals, known)
        received, failed, reached, ended = self._receive(session, arrivals, documents)
        outcome = self._delivery.store(received)
        for document, _ in outcome.stored:
            self._told(document, None)
        ended = ended or next((why for _, why in outcome.failed if why.code in FULL), None)
        self._record(failed + [(document, why) for document, why in outcome.failed if why.code not in FULL])
        if ended is None or ended.code not in BROKEN:
            look = {file.path: file for file in before}
            try:
                self._remove(session, [(look[one.path], one, receipt) for one, receipt in outcome.stored])
            except TemporaryFailure as failure:  # they are removed by the next round
                ended = ended or failure
        left: list[Candidate] = list(zip(files[reached:], documents[reached:], strict=True))
        return left, ended

    def remove_stored(self, session: FtpSession, left: Sequence[tuple[RemoteFile, Document]]) -> None:
        """Remove what an earlier round stored and could not remove, where the server still holds the same bytes."""
        removable = []
        before = looks(session, [file for file, _ in left])
        for (file, document), look in zip(left, before, strict=True):
            if self._stopping():
                break
            try:
                receipt = self._delivery.receipt(document, present_bytes(session, file))
                removable.append((look, document, receipt))
            except Failure as failure:
                if failure.code in BROKEN:
                    raise
                if failure.code.startswith("receipt."):  # another document under the same name: the next round takes it
                    self._delivery.removed([document])
                else:
                    self._record([(document, failure)])
        self._remove(session, removable)

    def _receive(
        self, session: FtpSession, arrivals: Sequence[Arrival], documents: Sequence[Document]
    ) -> tuple[list[Received], list[tuple[Document, Failure]], int, Failure | None]:
        """Return what came whole, what failed by itself, how many were reached, and the failure that ended it early."""
        received: list[Received] = []
        failed: list[tuple[Document, Failure]] = []
        for reached, (arrival, document) in enumerate(zip(arrivals, documents, strict=True)):
            if self._stopping():
                return received, failed, reached, None
            if self._delivery.pauses.holds_back(arrival.to, arrival.path):
                continue
            try:
                received.append(self._delivery.receive(document, arrival, _fetch(session, arrival.path)))
            except Failure as failure:
                if failure.code == LOST:
                    raise
                if failure.code in FULL:
                    return received, failed, reached, failure
                failed.append((document, failure))
                self._delivery.pauses.meet(document, failure)
                if failure.code in BROKEN:
                    return received, failed, reached + 1, failure
        return received, failed, len(arrivals), None

    def _remove(self, session: FtpSession, stored: Sequence[tuple[RemoteFile, Document, Receipt]]) -> None:
        """Remove the files that look as they did before they were fetched; a scanner may use their names again."""
        after = looks(session, [look for look, _, _ in stored])
        same = [receipt for (before, _, receipt), now in zip(stored, after, strict=True) if before == now]
        gone = {receipt.source for receipt in session.remove_all(same)}
        self._delivery.removed([document for _, document, receipt in stored if receipt.source in gone])
        kept: list[tuple[Document, Failure]] = []
        for (before, document, _), now in zip(stored, after, strict=True):
            if before != now:
                kept.append((document, TemporaryFailure("fetch.changed", file=document.path)))
            elif document.path not in gone:
                kept.append((document, TemporaryFailure("fetch.not_removed", file=document.path)))
        self._record(kept)

    def _record(self, failed: Sequence[tuple[Document, Failure]]) -> None:
        self._delivery.failed(failed)
        for document, failure in failed:
            _log.warning("document=%d path=%s %s", document.id, document.path, failure)
            self._told(document, failure)


def _fetch(session: FtpSession, path: str) -> Callable[[BinaryIO], Fingerprint]:
    """Return what writes a remote file's bytes; from a server not our own, half a file is refused as ``fetch.torn``."""

    def fetch(target: BinaryIO) -> Fingerprint:
        measured = session.retrieve(path, target)
        if (
            not session.is_navette
            and weigh(lambda at, length: _read(target, at, length), target.tell()) is Evidence.TORN
        ):
            raise TemporaryFailure("fetch.torn", file=path)
        return measured

    return fetch


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
