"""Runs shares of load at once, in up to two processes; never checks what the server made of it."""

import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.session import RawSession, Target

PROCESSES = 2
"""Processes that make load: one alone cannot tire a fast server."""

_SCAN = 50 * 1024  # bytes of a page in black and white

_PREPARING = 600.0  # seconds that all shares together may take to get ready

Share = Callable[[Callable[[], object]], list[float]]
"""Work for one connection: get ready, call the given function (the clock starts once all have), return seconds each."""


@dataclass(frozen=True)
class Load:
    """What a load took: seconds in all, and the seconds of each operation, sorted."""

    seconds: float
    each: list[float]

    @property
    def rate(self) -> float:
        """Operations per second."""
        return len(self.each) / self.seconds

    def milliseconds(self, percent: int) -> float:
        """Return how long an operation took that only ``100 - percent`` of a hundred exceeded."""
        return 1000 * self.each[min(len(self.each) * percent // 100, len(self.each) - 1)]


def run(shares: Sequence[Share], processes: int = PROCESSES) -> Load:
    """Run all shares at once, each in a thread, spread over up to ``processes`` processes."""
    processes = min(processes, len(shares))
    context = multiprocessing.get_context("fork")
    start, told = context.Barrier(len(shares) + 1), context.SimpleQueue()
    workers = [context.Process(target=_work, args=(shares[n::processes], start, told)) for n in range(processes)]
    for worker in workers:
        worker.start()
    try:
        start.wait(_PREPARING)
    except threading.BrokenBarrierError:
        began = 0.0  # a share failed before it was ready, and says why
    else:
        began = time.perf_counter()
    results = list(itertools.chain.from_iterable(told.get() for _ in workers))
    for worker in workers:
        worker.join()
    failures = [result for result in results if isinstance(result, str)]
    if failures:
        first = min(failures, key=lambda failure: "BrokenBarrier" in failure)  # that is what the others then say
        raise RuntimeError(f"the load failed: {first}")
    ended = max(end for end, _ in results)
    return Load(ended - began, sorted(itertools.chain.from_iterable(each for _, each in results)))


def _work(shares: Sequence[Share], start: Barrier, told: "SimpleQueue[list[tuple[float, list[float]] | str]]") -> None:
    """Run some shares in threads of this process; tell when each ended and what it took, or why it failed."""
    results: list[tuple[float, list[float]] | str] = []

    def run_one(share: Share) -> None:
        try:
            each = share(start.wait)
            results.append((time.perf_counter(), each))
        except (OSError, RuntimeError, IndexError, ValueError) as error:
            results.append(repr(error))
            start.abort()

    threads = [threading.Thread(target=run_one, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(results)


def timed(actions: Iterable[Callable[[], object]]) -> list[float]:
    """Do one after the other and return the seconds of each."""
    each = []
    for action in actions:
        began = time.perf_counter()
        action()
        each.append(time.perf_counter() - began)
    return each


def upload(target: Target, paths: Sequence[Path], connections: int) -> Load:
    """Upload all files over ``connections`` kept sessions, logged in before the clock starts.

    A file counts when its 226 has come.
    """
    return run([partial(_upload, target, paths[n::connections]) for n in range(connections)])


def _upload(target: Target, paths: Sequence[Path], start: Callable[[], object]) -> list[float]:
    with RawSession(target) as session:
        session.prepare()
        start()
        # plain: the file is sent without being read; over TLS it has to be read anyway
        if target.tls:
            return timed(partial(_store_read, session, path) for path in paths)
        return timed(partial(session.store_file, path) for path in paths)


def _store_read(session: RawSession, path: Path) -> None:
    session.store(path.name, path.read_bytes())


def collect(target: Target, names: Sequence[str], connections: int, ahead: int) -> Load:
    """Download and delete all documents over ``connections`` kept sessions, logged in before the clock starts.

    ``ahead`` documents are downloaded, then deleted by as many commands in one packet.
    """
    return run([partial(_collect, target, names[n::connections], ahead) for n in range(connections)])


def _collect(target: Target, names: Sequence[str], ahead: int, start: Callable[[], object]) -> list[float]:
    with RawSession(target) as session:
        session.prepare()
        start()
        each = []
        for at in range(0, len(names), ahead):
            group = names[at : at + ahead]
            each += timed(partial(session.drain, f"RETR {name}") for name in group)
            (removing,) = timed([partial(session.say_all, [f"DELE {name}" for name in group], 250)])
            each = [*each[: -len(group)], *(one + removing / len(group) for one in each[-len(group) :])]
        return each


def scan(target: Target, count: int, at_once: int) -> Load:
    """Make ``count`` scanner sessions, ``at_once`` at a time: connect, log in, deposit 50 KiB, say goodbye."""
    filling = b"%%PDF-1.4\n%%%08d\n%b\n%%%%EOF\n" % (0, bytes(_SCAN - 28))
    return run([partial(_scan, target, filling, range(n, count, at_once)) for n in range(at_once)])


def _scan(target: Target, filling: bytes, numbers: Iterable[int], start: Callable[[], object]) -> list[float]:
    def one(number: int) -> None:
        session = RawSession(target)
        session.prepare()
        session.store(f"scan_{number:06}.pdf", filling.replace(b"%00000000", b"%%%08d" % number, 1))
        session.quit()

    start()
    return timed(partial(one, number) for number in numbers)
