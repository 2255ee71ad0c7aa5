"""A Windows PC for the packed programs: a fresh Wine without Python; never the Wine of whoever runs the tests."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

from navette_server import ROOT
from processes import MARK
from waiting import until

sys.path.append(str(ROOT / "packaging"))
import windows_python  # it lives beside what it builds, in a folder that is no package

PROGRAMS = ("uploader", "navette-setup", "uninstall", "python")


class WindowsPc:
    """A running Windows with a user; ``drive`` is its C:, ``home`` the user's folder on it."""

    def __init__(self, folder: Path, drive: Path) -> None:
        self.drive = drive
        self._folder = folder
        self.home = next(path for path in (drive / "users").iterdir() if path.name != "Public")

    def path(self, path: Path) -> str:
        """Return what Windows calls a file of this PC, or of the machine around it (Z:)."""
        inside = path.is_relative_to(self.drive)
        return ("C:\\" if inside else "Z:\\") + str(path.relative_to(self.drive if inside else "/")).replace("/", "\\")

    def start(self, *words: str | Path, **variables: str) -> subprocess.Popen[bytes]:
        """Start a Windows program; its output is a pipe, since Windows programs do not write to files of others."""
        told = [self.path(word) if isinstance(word, Path) else word for word in words]
        return subprocess.Popen(
            ["wine", *told],
            env=self.environment() | variables,
            cwd=self.drive,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, *words: str | Path, seconds: float = 180, **variables: str) -> tuple[int, str]:
        """Run a Windows program to its end; return its exit code and what it said."""
        with self.start(*words, **variables) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except BaseException:
                process.kill()
                raise
        return process.returncode, said.decode(errors="replace")

    def running(self) -> dict[int, str]:
        """Return the programs of ours that run on this PC: process number -> name."""
        prefix = f"WINEPREFIX={self._folder / 'prefix'}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and prefix in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
                    found[int(entry.name)] = PureWindowsPath(command).stem.lower()
            except OSError:
                continue
        return {pid: name for pid, name in found.items() if name.startswith(PROGRAMS)}

    def wait_until_idle(self) -> None:
        """Wait until no program of ours runs; those that do not end are killed, and told."""
        try:
            until(lambda: not self.running(), 60, "the Windows programs of the test to end")
        finally:
            for pid in self.running():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def registered(self, key: str) -> str:
        """Return what the registry holds under a key; nothing when there is no such key."""
        code, said = self.run("reg", "query", key)
        return "" if code else said

    def environment(self) -> dict[str, str]:
        """Return the environment of all that runs on this PC."""
        found = windows_python.environment(self._folder)
        # Wine's own programs come and go with ours: no test has left them behind, so they do not bear its mark.
        return {name: value for name, value in found.items() if name not in {MARK, "NAVETTE_DATA", "NAVETTE_LANGUAGE"}}


@contextmanager
def running_pc(folder: Path) -> Iterator[WindowsPc]:
    """Run a fresh Windows for a ``with`` block; its disk goes afterwards."""
    mark = os.environ.pop(MARK)
    drive = windows_python.new_prefix(folder)
    os.environ[MARK] = mark
    pc = WindowsPc(folder, drive)
    try:
        # cmd waits for input until the end: when no program runs, Windows ends too, and each test would wait for it
        with subprocess.Popen(
            ["wine", "cmd"], env=pc.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as cmd:
            try:
                yield pc
            finally:
                windows_python.end_wine(folder)
            cmd.communicate(timeout=60)
    finally:
        shutil.rmtree(folder)
