"""A client's PC: a folder, an INI and the uploader's silent mode, run as a program; never opens a window."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ini_files import write_ini
from navette_server import ROOT
from processes import started

from transfer.client_ini import Connection


@dataclass
class Uploaded:
    """How one run of the uploader ended: its exit code (negative for a signal) and what it told."""

    code: int
    events: list[dict[str, object]] = field(default_factory=list)

    def of(self, event: str) -> list[dict[str, object]]:
        """Return what was told of one kind of event: sent, failed, finished."""
        return [told for told in self.events if told["event"] == event]


class ClientSide:
    """A client with a folder of files to send; what the uploader remembers survives from run to run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "à envoyer"
        self.folder.mkdir(parents=True)
        self.ini = home / "envoi.ini"

    def give_ini(self, connection: Connection, remote_folder: str, **uploader: str) -> None:
        """Hand the client an INI for a server and folder."""
        write_ini(self.ini, connection, remote_folder, **uploader)

    def start_uploading(self, log: Path, kill_at: str = "", connections: int = 4) -> subprocess.Popen[bytes]:
        """Start the uploader's silent mode with its output in ``log``."""
        command = [sys.executable, "-m", "uploader", "--silent", "--json", "--settle", "0"]
        command += ["--connections", str(connections), "--folder", str(self.folder), "--ini", str(self.ini)]
        env = {"NAVETTE_DATA": str(self.home / "data"), "NAVETTE_TEST_KILL_AT": kill_at, "PYTHONPATH": str(ROOT)}
        return started(command, log, env, cwd=self.home)

    def upload(self, kill_at: str = "", seconds: float = 240) -> Uploaded:
        """Run the uploader's silent mode to its end."""
        log = self.home / "uploader.log"
        log.unlink(missing_ok=True)
        process = self.start_uploading(log, kill_at)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
            process.wait()
        lines = log.read_text(errors="replace").splitlines()
        return Uploaded(code, [json.loads(line) for line in lines if line.startswith("{")])

    def left(self) -> list[str]:
        """Return the names of the files that are still in the client's folder."""
        return sorted(entry.name for entry in os.scandir(self.folder) if entry.is_file())
