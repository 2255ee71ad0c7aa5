"""Watching without a window: a service that sends what is put into a folder."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ini_files import write_ini
from processes import end, started
from waiting import until

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Watching:
    """A running ``uploader --watch --silent --json``."""

    process: subprocess.Popen[bytes]
    log: Path

    def told(self, event: str) -> list[dict[str, Any]]:
        lines = [line for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [told for told in map(json.loads, lines) if told["event"] == event]


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """Watch a folder with the INI given; ended afterwards."""
    running: list[Watching] = []

    def start(ini: Path, folder: Path) -> Watching:
        log = tmp_path / "watch.log"
        command = [sys.executable, "-m", "uploader", "--watch", "--silent", "--json", "--settle", "0.2"]
        command += ["--folder", str(folder), "--ini", str(ini)]
        environment = {"NAVETTE_DATA": str(tmp_path / "user"), "DISPLAY": ""}
        running.append(Watching(started(command, log, environment, cwd=ROOT), log))
        return running[-1]

    yield start
    for one in running:
        end(one.process)


def test_new_files_are_sent_until_it_is_ended(plain_server: Any, watching: Any, tmp_path: Path) -> None:
    """Without a display, what is there goes, what comes goes, and a polite kill ends it with 0."""
    server = plain_server()
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "old.pdf").write_bytes(b"old")
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    running = watching(ini, folder)
    until(lambda: "old.pdf" in server.holds(), what="the first file to be sent")
    (folder / "new.pdf").write_bytes(b"new")
    until(lambda: not list(folder.iterdir()), what="the new file to be sent")
    assert server.holds() == {"old.pdf": b"old", "new.pdf": b"new"}
    assert running.told("watching")[0]["folder"] == str(folder)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
    assert {told["file"] for told in running.told("sent")} == {"old.pdf", "new.pdf"}


def test_a_refused_password_ends_it(plain_server: Any, watching: Any, tmp_path: Path) -> None:
    """A login that is refused is tried once; going on would only get the office banned."""
    server = plain_server()
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"a")
    ini = write_ini(tmp_path / "envoi.ini", replace(server.connection(), password="wrong"), "/")
    assert watching(ini, folder).process.wait(20) == 4
    assert server.commands.count("PASS") == 1
    assert (folder / "a.pdf").exists()


def test_a_folder_that_comes_later_is_watched(plain_server: Any, watching: Any, tmp_path: Path) -> None:
    """A drive that is not there at the start is said once, and waited for."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    running = watching(ini, tmp_path / "scans")
    until(lambda: running.told("refused"), what="the missing folder to be told")
    assert running.told("refused")[0]["code"] == "folder.missing"
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.pdf").write_bytes(b"a")
    os.utime(tmp_path / "scans" / "a.pdf", (time.time() - 60,) * 2)
    until(server.holds, seconds=30, what="the file to be sent")
    assert len(running.told("refused")) == 1
