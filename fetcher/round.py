"""One pass over an FTP server: lists it, fetches what is there over several connections, delivers it, removes it there.

Never decides where a document is stored or under what name: that is :mod:`dossiers.delivery`, whose receipt alone
lets a remote file be removed.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

from dossiers.delivery import BATCH, Delivery, Reached
from dossiers.designation import Lease
from dossiers.disk import Disk
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.ftp_access import read_connections
from dossiers.pauses import UNREACHABLE, Pause
from dossiers.rounds import Result
from fetcher.batch import BROKEN, Batches, Candidate, Told
from fetcher.plan import planned
from fetcher.remote_files import ORIGIN, Destinations, look, source_name
from fetcher.sessions import Sessions
from transfer.client_ini import Connection
from transfer.failures import Failure
from transfer.ftp_session import FtpSession
from transfer.retry import Wait

_TRIES = 3
"""How often in a row a connection may break before it is given up for this round."""


def run_round(
    firm: Firm,
    lease: Lease,
    *,
    wait: Wait,
    source: str = ORIGIN,
    stopping: Callable[[], bool] = lambda: False,
    told: Told = lambda *_: None,
    reached: Reached = lambda _: None,
    disk: Disk | None = None,
    put_off: bool = True,
    sessions: Sessions | None = None,
) -> Result:
    """Run one round over a source for the holder of its lease and return what it did.

    What an earlier round left half-way is finished: of this server, and by the first source also of servers that are
    none any more. A file that failed before is left until its next attempt is due, unless ``put_off`` is False. Raises
    the failure that kept files from being reached: server away, login refused, disk full, lease lost.
    """
    connections = read_connections(firm)
    connection = connections[source]
    others = {source_name(other) for name, other in connections.items() if name != source}
    delivery = Delivery(firm, lease, disk, lambda step: reached(f"fetch.{step}"))
    left = [one for one in delivery.open_documents(ORIGIN) if one.source not in others]
    delivery.resume([one for one in left if source == ORIGIN or one.source == source_name(connection)])
    tally = _Tally(told)
    opened = sessions or Sessions()
    _fetch(firm, connection, delivery, tally, wait=wait, stopping=stopping, put_off=put_off, sessions=opened)
    return tally.result(delivery.pauses.end(source))


def _fetch(
    firm: Firm,
    connection: Connection,
    delivery: Delivery,
    tally: "_Tally",
    *,
    wait: Wait,
    stopping: Callable[[], bool],
    put_off: bool,
    sessions: Sessions,
) -> None:
    """List the server, and take from it what may be taken."""
    source = source_name(connection)
    batches = Batches(delivery, Destinations(firm), source, stopping, tally.add)
    with sessions.open(connection) as session:
        listed, ready = look(session, wait, firm.settings.number("fetch.settle_seconds"))
        documents = [document for document in delivery.open_documents(ORIGIN) if document.source == source]
        plan = planned(listed, ready, documents, firm.clock() if put_off else None)
        delivery.removed(plan.finished)
        delivery.vanished(plan.vanished)
        batches.remove_stored(session, plan.remove)
    connections = min(firm.settings.number("fetch.connections"), len(plan.fetch))
    if connections:
        _Crew(partial(sessions.open, connection), batches, plan.fetch, stopping).run(connections)


class _Tally:
    """Counts what the connections deliver, and passes it on."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._turn = threading.Lock()
        self._delivered = self._waiting = self._failed = 0

    def add(self, document: Document, failure: Failure | None) -> None:
        with self._turn:
            if failure is not None and failure.code == UNREACHABLE:
                return  # told once for the whole dossier, with all that its pause keeps back
            self._failed += failure is not None
            self._delivered += failure is None and document.dossier is not None
            self._waiting += failure is None and document.dossier is None
            self._told(document, failure)

    def result(self, paused: Sequence[Pause]) -> Result:
        return Result(self._delivered, self._waiting, self._failed, sum(pause.documents for pause in paused))


class _Crew:
    """Several connections that fetch from one queue until it is empty."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[FtpSession]],
        batches: Batches,
        files: Iterable[Candidate],
        stopping: Callable[[], bool],
    ) -> None:
        self._opened = opened
        self._batches = batches
        self._queue = deque(files)
        self._stopping = stopping
        self._turn = threading.Lock()
        self._ended = False

    def run(self, connections: int) -> None:
        """Fetch all files; raise the first failure when it kept files from being reached."""
        with ThreadPoolExecutor(connections, "fetch") as pool:
            ends = [pool.submit(self._work, connections) for _ in range(connections)]
        failures = [end.result() for end in ends]
        for failure in failures:
            if failure is not None and (self._queue or self._ended):
                raise failure

    def _work(self, connections: int) -> Failure | None:
        """Fetch batch after batch over one connection, made again when it breaks; return what ended it early."""
        broken = 0
        while True:
            opened = False
            try:
                with self._opened() as session:
                    opened = True
                    while batch := self._take(connections):
                        left, failure = self._batches.deliver(session, batch)
                        self._queue.extendleft(reversed(left))
                        if failure is not None:
                            raise failure
                        broken = 0
                return None
            except Failure as failure:
                broken += 1
                if opened and failure.code not in BROKEN:
                    self._ended = True
                if not opened or self._ended or broken == _TRIES:
                    return failure

    def _take(self, connections: int) -> list[Candidate]:
        """Take a share of what is left, so that no connection is still busy long after the others."""
        with self._turn:
            if self._ended or self._stopping():
                return []
            count = min(BATCH, -(-len(self._queue) // connections))
            return [self._queue.popleft() for _ in range(count)]
