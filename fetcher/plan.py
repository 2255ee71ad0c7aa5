"""Decides from a server's listing and from what is known already what a round has to do; never asks the server."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dossiers.document import Document, State
from transfer.ftp_session import RemoteFile
from transfer.in_progress import is_in_progress


@dataclass
class Plan:
    """What a round has to do.

    Files to ``fetch``, oldest first, each with its document if one was discovered before; files to ``remove`` if they
    still hold what was stored; and documents whose file is gone, after they were stored (``finished``) or before
    (``vanished``).
    """

    fetch: list[tuple[RemoteFile, Document | None]] = field(default_factory=list)
    remove: list[tuple[RemoteFile, Document]] = field(default_factory=list)
    finished: list[Document] = field(default_factory=list)
    vanished: list[Document] = field(default_factory=list)


def settled(first: Iterable[RemoteFile], second: Iterable[RemoteFile]) -> list[RemoteFile]:
    """Return the files of the second look that the first saw with the same size and time, and that look finished.

    For servers that show files while they are being written.
    """
    before = {file.path: file for file in first}
    return [
        file for file in second if file == before.get(file.path) and not is_in_progress(file.path.rpartition("/")[2])
    ]


def planned(
    listed: Iterable[RemoteFile], ready: Iterable[RemoteFile], documents: Sequence[Document], now: datetime | None
) -> Plan:
    """Compare all ``listed`` files, of which the ``ready`` ones may be taken, with the server's open documents.

    ``now`` puts off files whose next attempt is not due; None puts off none. A document that is still being placed
    (its folder cannot be reached) keeps its file for a later round.
    """
    plan = Plan()
    known: dict[str, Document] = {document.path: document for document in documents}
    there = {file.path for file in listed}
    for document in documents:
        if document.path not in there and document.state is State.STORED:
            plan.finished.append(document)
        elif document.path not in there and document.state is State.DISCOVERED:
            plan.vanished.append(document)
    for file in ready:
        if file.path not in known:
            plan.fetch.append((file, None))
            continue
        document = known[file.path]
        changed = (file.size, file.modified) != (document.source_size, document.source_modified)
        if document.state is State.STORED and changed:
            # The name was used again: what was stored is gone from there, and this is another document.
            plan.finished.append(document)
            plan.fetch.append((file, None))
        elif now is not None and _is_put_off(document, now, changed):
            continue
        elif document.state is State.DISCOVERED:
            plan.fetch.append((file, document))
        elif document.state is State.STORED:
            plan.remove.append((file, document))
    plan.fetch.sort(key=lambda candidate: (candidate[0].modified or "", candidate[0].path))
    return plan


def _is_put_off(document: Document, now: datetime, changed: bool) -> bool:
    """Tell whether a file is left for a later round; one that waits for a person is tried again once it changed."""
    if document.waits_for_a_person and not changed:
        return True
    return document.next_try is not None and document.next_try > now
