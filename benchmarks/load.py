"""Uploads files as fast as an FTP server takes them; never verifies or removes anything, it only makes load."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """Where the load goes: a plain FTP server, a login, and the folder to deposit in."""

    port: int
    user: str
    password: str
    folder: str


def upload(target: Target, paths: Sequence[Path], connections: int, processes: int = 2) -> float:
    """Upload all files over ``connections`` kept sessions in up to ``processes`` processes; return the seconds it took.

    Sessions are logged in before the clock starts. A file counts when its 226 has come.
    """
    processes = min(processes, connections)
    context = multiprocessing.get_context("fork")
    start, ready = context.Barrier(processes + 1), context.SimpleQueue()
    workers = []
    for n in range(processes):
        share = [list(paths[k::connections]) for k in range(n, connections, processes)]
        workers.append(context.Process(target=_work, args=(target, share, start, ready)))
    for worker in workers:
        worker.start()
    start.wait(60)
    began = time.perf_counter()
    failures = [failure for _ in workers if (failure := ready.get())]
    took = time.perf_counter() - began
    for worker in workers:
        worker.join()
    if failures:
        raise RuntimeError(f"the load failed: {failures[0]}")
    return took


class _Session:
    """The least that an FTP client must do: one command, one reply, a data connection for each file."""

    def __init__(self, target: Target) -> None:
        self._control = socket.create_connection(("127.0.0.1", target.port), timeout=60)
        self._control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._control.makefile("rb")
        self._expect(220)
        for command, code in (
            (f"USER {target.user}", 331),
            (f"PASS {target.password}", 230),
            ("TYPE I", 200),
        ):
            self.say(command, code)
        if target.folder != "/":
            self.say(f"CWD {target.folder}", 250)

    def say(self, command: str, code: int) -> bytes:
        self._control.sendall(command.encode() + b"\r\n")
        return self._expect(code)

    def send(self, path: Path) -> None:
        numbers = self.say("PASV", 227).split(b"(")[1].split(b")")[0].split(b",")
        with socket.create_connection(("127.0.0.1", int(numbers[4]) * 256 + int(numbers[5])), timeout=60) as data:
            data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._control.sendall(b"STOR " + path.name.encode() + b"\r\n")
            self._expect(150)
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                at = 0
                while at < size:
                    at += os.sendfile(data.fileno(), file.fileno(), at, size - at)
        self._expect(226)

    def close(self) -> None:
        self._replies.close()
        self._control.close()

    def _expect(self, code: int) -> bytes:
        line = self._replies.readline()
        first = line[:3]
        while line[3:4] == b"-" or line[:3] != first:
            line = self._replies.readline()
        if not first.startswith(str(code)[:1].encode()):
            raise RuntimeError(f"wanted {code}, got {line!r}")
        return line


def _work(target: Target, shares: list[list[Path]], start: Barrier, ready: "SimpleQueue[str]") -> None:
    """Run one session per share in threads of this process, and say what failed, or nothing."""
    failures: list[str] = []

    def run(session: _Session, paths: list[Path]) -> None:
        try:
            for path in paths:
                session.send(path)
        except (OSError, RuntimeError, IndexError, ValueError) as error:
            failures.append(repr(error))

    try:
        sessions = [_Session(target) for _ in shares]
    except (OSError, RuntimeError) as error:
        start.wait()
        ready.put(repr(error))
        return
    threads = [threading.Thread(target=run, args=pair) for pair in zip(sessions, shares, strict=True)]
    start.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for session in sessions:
        session.close()
    ready.put(failures[0] if failures else "")
