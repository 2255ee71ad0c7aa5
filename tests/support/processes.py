"""Starts and ends the programs that tests drive, and finds those left behind; never ends one it did not start."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

MARK = "NAVETTE_TESTS_STARTED_BY"
"""Environment variable, inherited by all that a test starts, by which a process left behind is recognised."""


def started(
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own with its output in ``log``, and ``env`` added to the environment."""
    _adopt_orphans()
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            pass_fds=keep_open,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], how: int = signal.SIGTERM, seconds: float = 10) -> int:
    """End a program made by :func:`started` with all below it, and return its exit code (negative for a signal)."""
    below = descendants(process.pid)
    if process.poll() is None:
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):  # children that outlived it, or itself when it did not obey
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    for pid in below:  # those with a session of their own, if the program did not end or reap them
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-process.pid, 0)
    return code


def reap(name: str) -> None:
    """Reap what a peer left to this process: sessions that outlived the parent that would have waited for them."""
    for pid, (parent, _) in _table().items():
        with contextlib.suppress(OSError):
            if parent == os.getpid() and Path(f"/proc/{pid}/comm").read_text().strip() == name:
                os.waitpid(pid, os.WNOHANG)


def marked() -> dict[int, str]:
    """Return the processes that descend from this test run, without itself: number -> command line."""
    ours = f"{MARK}={os.environ.get(MARK)}".encode()
    found = {}
    for pid in _numbers(Path("/proc")):
        with contextlib.suppress(OSError):
            if pid != os.getpid() and ours in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return found


def descriptors() -> dict[int, str]:
    """Return this process's open sockets, pipes and files: number -> what it leads to; devices are left out."""
    found = {}
    for number in _numbers(Path("/proc/self/fd")):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{number}")
            if not target.startswith(("/dev/", "/proc/")):
                found[number] = target
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and those below it have used so far, in seconds."""
    table = _table()
    return sum(table[number][1] for number in (pid, *descendants(pid)) if number in table) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """Return all descendants of a process."""
    children: dict[int, list[int]] = {}
    for number, (parent, _) in _table().items():
        children.setdefault(parent, []).append(number)
    found = list(children.get(pid, ()))
    for number in found:
        found += children.get(number, ())
    return found


def _table() -> dict[int, tuple[int, int]]:
    """Return each process of the machine: number -> parent and processor time in clock ticks, with reaped children."""
    table = {}
    for number in _numbers(Path("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            table[number] = int(fields[1]), sum(map(int, fields[11:15]))
    return table


def _adopt_orphans() -> None:
    """Make what a killed program leaves behind a child of this process, so that :func:`end` can wait for it."""
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def _numbers(folder: Path) -> Iterator[int]:
    return (int(entry.name) for entry in os.scandir(folder) if entry.name.isdigit())
