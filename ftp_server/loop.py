"""Brings what worker threads have finished back into the event loop; never runs work itself."""

import contextlib
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from pyftpdlib.ioloop import IOLoop

_T = TypeVar("_T")


class Workers:
    """A pool of threads whose results are handed to a function in the loop's own thread."""

    def __init__(self, loop: IOLoop, threads: int) -> None:
        self._loop = loop
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="transfer")
        self._running: set[Future[Any]] = set()
        self._ready: deque[Callable[[], None]] = deque()
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._fileno = self._receiver.fileno()
        loop.register(self._fileno, self, loop.READ)

    def run(self, work: Callable[[], _T], then: Callable[["Future[_T]"], None]) -> None:
        """Run ``work`` in a thread, then ``then(future)`` in the loop."""
        submitted = self._pool.submit(work)
        self._running.add(submitted)
        submitted.add_done_callback(lambda future: self.call(lambda: self._finish(future, then)))

    def _finish(self, future: "Future[_T]", then: Callable[["Future[_T]"], None]) -> None:
        self._running.discard(future)
        then(future)

    def call(self, function: Callable[[], None]) -> None:
        """Run a function in the loop's thread, from any thread."""
        self._ready.append(function)
        try:
            self._sender.send(b"\0")
        except OSError:  # full: the loop is woken anyway; closed: nobody waits for it any more
            return

    def wait(self, seconds: float) -> None:
        """Let the work that runs come to its end, for so many seconds at most; what then follows it has been run."""
        wait(self._running, seconds)
        self.handle_read_event()

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
