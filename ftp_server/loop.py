"""Lends sessions to worker threads and brings what they leave behind into the event loop; never runs a command."""

import contextlib
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pyftpdlib.ioloop import IOLoop

log = logging.getLogger("navette.server")

_CHORES = 2  # as many passwords are checked at once: each takes 64 MiB and a core
_PATIENCE = 0.01  # seconds between two looks whether the lent work has ended


class Workers:
    """A pool of threads for sessions that are active, and the way back into the loop's own thread."""

    def __init__(self, loop: IOLoop, threads: int) -> None:
        self._loop = loop
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="session")
        self._lent = 0
        self._ready: deque[Callable[[], None]] = deque()
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._fileno = self._receiver.fileno()
        loop.register(self._fileno, self, loop.READ)

    def lend(self, work: Callable[[], Callable[[], None]]) -> None:
        """Run ``work`` in a thread, then what it returned in the loop; called in the loop's thread."""
        self._lent += 1
        self._pool.submit(self._run, work)

    def _run(self, work: Callable[[], Callable[[], None]]) -> None:
        afterwards = work()
        self.call(lambda: self._take_back(afterwards))

    def _take_back(self, afterwards: Callable[[], None]) -> None:
        self._lent -= 1
        afterwards()

    @property
    def crowded(self) -> bool:
        """Whether some work waits for a thread."""
        return self._lent > self._threads

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
        self._pool.shutdown(wait=True)
        self._loop.unregister(self._fileno)
        self._receiver.close()
        self._sender.close()


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
