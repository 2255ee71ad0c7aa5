"""The check that tests leave nothing behind finds what they can leave; it never ends anything itself."""

import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from leftovers import left_since, present


@contextlib.contextmanager
def _thread() -> Iterator[str]:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten-thread")
    thread.start()
    yield "forgotten-thread"
    stop.set()
    thread.join()


@contextlib.contextmanager
def _process() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", "input('forgotten-process')"], stdin=subprocess.PIPE) as process:
        yield "forgotten-process"
        process.kill()


@contextlib.contextmanager
def _socket() -> Iterator[str]:
    with socket.socket():
        yield "socket:"


@contextlib.contextmanager
def _file() -> Iterator[str]:
    path = Path(tempfile.mkdtemp(prefix="forgotten-folder"))
    yield "forgotten-folder"
    path.rmdir()


@pytest.mark.parametrize("forgotten", [_thread, _process, _socket, _file])
def test_each_kind_of_leftover_is_named_and_then_gone(forgotten) -> None:
    """A thread, a process, a socket or a temporary file that stays is named, and no longer once it is gone."""
    before = present()
    with forgotten() as words:
        assert words in str(left_since(before, patience=0))
    assert str(left_since(before)) == ""
