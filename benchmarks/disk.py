"""Gives a measurement a disk whose syncing is honest: a journaled ext4 image; never leaves it mounted."""

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_MIB = 1024 * 1024


@contextlib.contextmanager
def working_folder(size_mib: int = 1536) -> Iterator[Path]:
    """Yield a folder on a fresh journaled ext4 image when run as root, else one in the current folder with a warning.

    Without a journal, fsync costs a tenth and making files in a folder just emptied ten times as much: ratios taken
    there are wrong in both directions.
    """
    with tempfile.TemporaryDirectory(prefix="navette-bench-") as around, contextlib.ExitStack() as undo:
        folder = Path(around, "disk")
        folder.mkdir()
        try:
            _mount(Path(around, "image"), folder, size_mib, undo)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"WARNING: no journaled image ({error}); measuring in the current folder", file=sys.stderr)
            folder = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
            undo.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        Path(around).chmod(0o755)
        yield folder


def durable_writes(contents: Sequence[bytes], folder: Path, threads: int) -> float:
    """Write files and sync each with its folder, by ``threads`` at once; return files per second.

    No server can make more deposits durable than this: it reads no socket, parses nothing and keeps no record.
    """
    folder.mkdir()
    waiting = queue.SimpleQueue[tuple[int, bytes]]()
    for numbered in enumerate(contents):
        waiting.put(numbered)

    def write() -> None:
        around = os.open(folder, os.O_RDONLY)
        with contextlib.suppress(queue.Empty):
            while True:
                number, content = waiting.get_nowait()
                with (folder / str(number)).open("xb", buffering=0) as file:
                    file.write(content)
                    os.fsync(file.fileno())
                    os.fsync(around)
        os.close(around)

    workers = [threading.Thread(target=write) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - began
    shutil.rmtree(folder)
    return len(contents) / took


def _mount(image: Path, folder: Path, size_mib: int, undo: contextlib.ExitStack) -> None:
    if os.geteuid() != 0:
        raise PermissionError("only root may mount")
    zeros = bytes(4 * _MIB)
    with image.open("wb") as file:  # filled, so that no write has to find its place first
        for _ in range(size_mib // 4):
            file.write(zeros)
        os.fsync(file.fileno())
    eager = "lazy_itable_init=0,lazy_journal_init=0"
    subprocess.run(["mkfs.ext4", "-q", "-F", "-J", "size=256", "-E", eager, image], check=True)
    loop = subprocess.run(
        ["losetup", "--find", "--show", "--direct-io=on", image], check=True, capture_output=True, text=True
    ).stdout.strip()
    undo.callback(subprocess.run, ["losetup", "--detach", loop], check=True)
    subprocess.run(["mount", "-o", "noatime", loop, folder], check=True)
    undo.callback(subprocess.run, ["umount", folder], check=True)
