"""Runs Navette's own FTP server as its users do, by the command line; never reaches into the server's code."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ports import free_port, free_range
from processes import descendants, end, started
from waiting import until

from transfer.client_ini import Connection, Security

FIDUCIARY = "570013"
ROOT = Path(__file__).resolve().parents[2]
NAVETTE = (sys.executable, "-m", "navette")


def navette(
    home: Path, *words: str | Path, check: bool = True, told: str | None = None, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command of ``navette --home HOME`` to its end; its output is text, and a failure shows it.

    ``told`` is its input, ``more`` is added to its environment.
    """
    command = [*NAVETTE, "--home", str(home), *map(str, words)]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=240,
        input=told,
        env={**os.environ, **(more or {})},
    )
    assert not check or ran.returncode == 0, f"{words} ended with {ran.returncode}: {ran.stderr or ran.stdout}"
    return ran


class NavetteServer:
    """A server with its home folder; its address stays the same over restarts. ``program`` is what runs it."""

    def __init__(self, home: Path, program: Sequence[str] = NAVETTE) -> None:
        self.home = home
        self._program = program
        home.mkdir(parents=True, exist_ok=True)
        self.host = "127.0.0.1"
        self.port = free_port()
        self.passive = free_range(60)
        self.passwords: dict[str, str] = {}
        self.fingerprint = ""
        self.log = home / "test-server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def add_accounts(self, fiduciary: str = FIDUCIARY, dossier: str | None = None) -> None:
        """Make READ and WRITE of a fiduciary, or the WRITE account of one dossier."""
        only = ["--dossier", dossier] if dossier else []
        told = navette(self.home, "server", "account", "add", fiduciary, *only, "--json")
        self.passwords |= json.loads(told.stdout)

    def copied_to(self, home: Path) -> "NavetteServer":
        """Return the same server, stopped and with the same address and accounts, in a home of its own."""
        shutil.copytree(self.home, home)
        copy = NavetteServer(home)
        copy.port, copy.passive, copy.passwords = self.port, self.passive, self.passwords
        return copy

    def start(self, kill_at: str | None = None, *options: str) -> None:
        """Start it and wait until it is ready; ``kill_at`` names the step at which it kills itself."""
        self.log.write_bytes(b"")
        ports = f"{self.passive.start}-{self.passive.stop - 1}"
        command = [*self._program, "--home", self.home, "server", "run", "--json"]
        command += ["--processes", "1"] if kill_at else []
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--passive-ports", ports, *options]
        env = {"NAVETTE_TEST_KILL_AT": kill_at or ""}
        self._process = started(command, self.log, env, cwd=ROOT)
        try:
            until(lambda: self._ready() or not self.running, 60, "the server to be ready")
        except AssertionError:
            self.kill()  # else it would hold the port, and the tests that follow fail for that
            raise
        assert self.running or kill_at, f"the server ended at once: {self.log.read_text()}"

    def published(self, folder: str = "", fiduciary: str = FIDUCIARY) -> dict[str, bytes]:
        """Return path -> bytes of the published files in a folder."""
        files = self.home / "server" / "fiduciaries" / fiduciary / "files" / folder
        return {str(path.relative_to(files)): path.read_bytes() for path in sorted(files.rglob("*")) if path.is_file()}

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the server's database, which it goes on using."""
        database = self.home / "server" / "server.db"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
            return opened.execute(query, values).fetchall()

    @property
    def running(self) -> bool:
        """Whether the program has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process number of the running program."""
        assert self._process is not None
        return self._process.pid

    def stop(self, how: int = signal.SIGTERM) -> int | None:
        """End it with a signal and return its exit code; None when it was not started."""
        process, self._process = self._process, None
        return None if process is None else end(process, how)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.stop(signal.SIGKILL)

    def connection(self, login: str, security: Security = Security.TLS) -> Connection:
        """Return how to connect as one of the accounts."""
        pinned = self.fingerprint if security is Security.TLS else None
        return Connection("127.0.0.1", self.port, login, self.passwords[login], security, pinned)

    def _ready(self) -> bool:
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                told = json.loads(line)
                if told.get("fingerprint"):
                    self.fingerprint = told["fingerprint"].replace(":", "").lower()
                    return True
        return False


@contextmanager
def shared_server(home: Path, processes: int = 2, bound: str | None = None) -> Iterator[NavetteServer]:
    """Run a server of several processes that many tests share; no session of any of them may fail.

    ``bound``: a dossier whose account must bind its data connections to its session.
    """
    server = NavetteServer(home)
    server.add_accounts()
    for dossier in filter(None, ("000204", bound)):
        server.add_accounts(dossier=dossier)
    if bound:
        navette(home, "server", "account", "bind", f"WRITE_{FIDUCIARY}_{bound}", "required")
    server.start(None, "--processes", str(processes))
    until(lambda: len(descendants(server.pid)) == processes, what="all processes of the server")
    yield server
    server.stop()
    log = server.log.read_text()
    assert "session.failed" not in log, log
    assert "_failed" not in log, log
