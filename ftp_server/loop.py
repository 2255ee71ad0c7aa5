"""Lends sessions to worker threads and brings what they leave behind into the event loop; never runs a command."""

import contextlib
import logging
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from pyftpdlib.ioloop import IOLoop

log = logging.getLogger("navette.server")

_CHORES = 2  # as many passwords are checked at once: each takes 64 MiB and a core
_PATIENCE = 0.01  # seconds between two looks whether the lent work has ended


@dataclass
class Loan:
    """A thread that is lent, or soon will be; ``owner`` is the account or address whose share it is taken from."""

    owner: str


Work = Callable[[Loan], Callable[[], None]]
"""Run in a thread; returns what the loop's thread runs afterwards."""


class Workers:
    """Threads for sessions that are active, and the way back into the loop's own thread.

    Work is lent under its owner, an account or an address. One owner has at most half of the threads: what exceeds that
    waits for the owner's own, so that no account and no stranger can take the server from all others.
    """

    def __init__(self, loop: IOLoop, threads: int) -> None:
        self._loop = loop
        self._threads = threads
        self._share = max(threads // 2, 1)
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []  # the last one that worked is the next: its memory is still warm
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()  # for the counter: the rest belongs to the loop's thread
        self._waiting: dict[str, deque[Work]] = {}
        self._lent = 0
        self._ready: deque[Callable[[], None]] = deque()
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._fileno = self._receiver.fileno()
        loop.register(self._fileno, self, loop.READ)

    def lend(self, work: Work, owner: str) -> None:
        """Run ``work`` in a thread, then what it returned in the loop; called in the loop's thread."""
        self._lent += 1
        if self._has_share(owner) and (worker := self._free()):
            self._start(worker, work, owner)
        else:
            self._waiting.setdefault(owner, deque()).append(work)

    def move(self, loan: Loan, owner: str) -> bool:
        """Take a loan from another owner's share; False if that owner now has too many. Called in the lent thread."""
        with self._lock:
            self._give_back(loan.owner)
            loan.owner = owner
            self._busy[owner] += 1
            return self._busy[owner] <= self._share

    def _has_share(self, owner: str) -> bool:
        return self._busy.get(owner, 0) < self._share

    def _give_back(self, owner: str) -> None:
        self._busy[owner] -= 1
        if not self._busy[owner]:
            del self._busy[owner]

    def _free(self) -> "_Worker | None":
        if not self._idle and len(self._all) < self._threads:
            self._all.append(_Worker(f"session_{len(self._all)}"))
            return self._all[-1]
        return self._idle.pop() if self._idle else None

    def _start(self, worker: "_Worker", work: Work, owner: str) -> None:
        loan = Loan(owner)
        with self._lock:
            self._busy[owner] += 1

        def run() -> None:
            afterwards = work(loan)
            self.call(lambda: self._take_back(worker, loan, afterwards))

        worker.give(run)

    def _take_back(self, worker: "_Worker", loan: Loan, afterwards: Callable[[], None]) -> None:
        self._lent -= 1
        with self._lock:
            self._give_back(loan.owner)
        self._idle.append(worker)
        if self._waiting:
            self._start_waiting()
        afterwards()

    def _start_waiting(self) -> None:
        """Start what waits and may; an owner whose work was started is the last to be asked again."""
        for owner in list(self._waiting):
            if self._has_share(owner) and (worker := self._free()):
                works = self._waiting.pop(owner)
                self._start(worker, works.popleft(), owner)
                if works:
                    self._waiting[owner] = works

    @property
    def crowded(self) -> bool:
        """Whether some work waits for a thread."""
        return bool(self._waiting)

    def call(self, function: Callable[[], None]) -> None:
        """Run a function in the loop's thread, from any thread."""
        self._ready.append(function)
        try:
            self._sender.send(b"\0")
        except OSError:  # full: the loop is woken anyway; closed: nobody waits for it any more
            return

    def wait(self, seconds: float) -> None:
        """Let the work that runs come to its end, for so many seconds at most; what then follows it has been run."""
        until = time.monotonic() + seconds
        while self._lent and time.monotonic() < until:
            self._loop.loop(timeout=_PATIENCE, blocking=False)

    def readable(self) -> bool:
        """Say to the loop that wake-ups are wanted."""
        return True

    def writable(self) -> bool:
        """Say to the loop that nothing is ever written."""
        return False

    def handle_read_event(self) -> None:
        """Take the wake-ups and run what is ready."""
        with contextlib.suppress(BlockingIOError):
            self._receiver.recv(65_536)
        while self._ready:
            self._ready.popleft()()

    def handle_close(self) -> None:
        """Never happens: both ends are ours."""

    def close(self) -> None:
        """Wait for the last work and leave the loop."""
        for worker in self._all:
            worker.end()
        self._loop.unregister(self._fileno)
        self._receiver.close()
        self._sender.close()


class _Worker:
    """A thread that runs what it is given, one after the other.

    The standard library's pool wakes two threads for each piece of work, one of them in vain.
    """

    def __init__(self, name: str) -> None:
        self._given: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    def give(self, work: Callable[[], None]) -> None:
        """Run ``work`` in the thread."""
        self._given.put(work)

    def _run(self) -> None:
        while (work := self._given.get()) is not None:
            work()

    def end(self) -> None:
        """Wait for the last work and end the thread."""
        self._given.put(None)
        self._thread.join()


class Chores:
    """Two threads for what may take long and no session's worker should wait for; what fails there is logged."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_CHORES, thread_name_prefix="chores")

    def run(self, work: Callable[..., None], *words: object) -> None:
        """Run ``work(*words)`` after what was asked for earlier."""
        self._pool.submit(self._run, work, words)

    def _run(self, work: Callable[..., None], words: tuple[object, ...]) -> None:
        try:
            work(*words)
        except Exception:  # the outermost loop of the chores
            log.exception("server.chore_failed")

    def close(self) -> None:
        """Wait for the last one."""
        self._pool.shutdown()
