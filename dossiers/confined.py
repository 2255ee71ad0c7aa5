"""Runs a reader of files in a program of its own with limits on memory, time and output; never believes that program.

What a hostile file does to a library then ends that program alone. In a program packed into one file ``sys.executable``
is that program, so there the reader is a mode of it: ``navette confined MODULE``.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MODE = "confined"
"""The first word of the command line by which a packed program becomes a reader."""

_HERE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Bounds:
    """What a reader may take: bytes of memory, seconds of work, seconds in all, bytes of output."""

    memory: int
    work: int
    patience: float
    output: int


@dataclass(frozen=True)
class Told:
    """What a reader wrote before it ended, and how: of its own will with code 0, else too slow, or in any other way."""

    output: bytes
    whole: bool
    too_slow: bool = False


def run(module: str, words: Sequence[str], source: BinaryIO, bounds: Bounds) -> Told:
    """Let ``module`` read an open file, which it finds as its input, and return what it wrote.

    The module keeps itself to its bounds by :func:`keep_to`; the time in all is kept here.
    """
    start = [sys.executable, MODE] if getattr(sys, "frozen", False) else [sys.executable, "-m"]
    with tempfile.TemporaryFile() as output:
        reader = subprocess.Popen(
            [*start, module, *words],
            stdin=source,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(_HERE)},
            start_new_session=True,  # what it has started itself ends with it
        )
        try:
            code = reader.wait(bounds.patience)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(reader)
        output.seek(0)
        too_slow = code is None or (os.name != "nt" and code == -signal.SIGXCPU)
        return Told(output.read(bounds.output), code == 0, too_slow)


def keep_to(bounds: Bounds) -> None:
    """Let the system end this program rather than give it more; on Windows only its parent ends it, in time."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (bounds.work, bounds.work))
        resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.output, bounds.output))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end(reader: subprocess.Popen[bytes]) -> None:
    """End a reader that still runs, and whatever it has started."""
    if reader.poll() is None:
        if os.name == "nt":
            reader.kill()
        else:
            os.killpg(reader.pid, signal.SIGKILL)
        reader.wait()
