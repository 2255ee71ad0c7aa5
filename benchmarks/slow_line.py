"""A line of some milliseconds and megabits between a client and a server on this machine; never changes a byte."""

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator

HERE, THERE = "127.0.0.2", "127.0.0.1"
"""Clients connect to the first address, servers listen on the second."""

_BLOCK = 16 * 1024


class _Direction:
    """All bytes that go one way share its rate; each arrives ``delay`` seconds after its turn."""

    def __init__(self, delay: float, rate: float) -> None:
        self._delay = delay
        self._rate = rate
        self._free_at = 0.0
        self._lock = threading.Lock()

    def arrival(self, count: int) -> float:
        """Return when the next ``count`` bytes arrive."""
        with self._lock:
            self._free_at = max(time.monotonic(), self._free_at) + count / self._rate
            return self._free_at + self._delay


class _Flow:
    """Bytes from one socket to another, each at its time."""

    def __init__(self, source: socket.socket, target: socket.socket, direction: _Direction) -> None:
        self._source, self._target, self._direction = source, target, direction
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._more = threading.Condition()
        for work in (self._read, self._write):
            threading.Thread(target=work, daemon=True).start()

    def _read(self) -> None:
        block = b"x"
        while block:
            try:
                block = self._source.recv(_BLOCK)
            except OSError:
                block = b""
            arrival = self._direction.arrival(len(block))
            with self._more:
                self._more.wait_for(lambda: len(self._waiting) < 64)  # what a line of this kind holds
                self._waiting.append((arrival, block))
                self._more.notify_all()

    def _write(self) -> None:
        block = b"x"
        while block:
            with self._more:
                self._more.wait_for(lambda: self._waiting)
                arrival, block = self._waiting.popleft()
                self._more.notify_all()
            time.sleep(max(0.0, arrival - time.monotonic()))
            with contextlib.suppress(OSError):
                if block:
                    self._target.sendall(block)
                else:
                    self._target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def slow_line(ports: Iterable[int], delay: float, rate: float) -> Iterator[None]:
    """Carry connections to these ports with ``delay`` seconds each way and ``rate`` bytes per second each way."""
    there, back = _Direction(delay, rate), _Direction(delay, rate)
    listeners = [socket.create_server((HERE, port), backlog=64) for port in ports]

    def accept(listener: socket.socket, port: int) -> None:
        while True:
            try:
                client = listener.accept()[0]
                server = socket.create_connection((THERE, port))
            except OSError:
                return
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Flow(client, server, there)
            _Flow(server, client, back)

    for listener in listeners:
        threading.Thread(target=accept, args=(listener, listener.getsockname()[1]), daemon=True).start()
    try:
        yield
    finally:
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
