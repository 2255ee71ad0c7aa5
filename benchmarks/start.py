"""Measures how long the uploader takes from its start to its drawn window, and how large it is; never a test.

Run it as ``python -m benchmarks.start [--quick] [--rounds N]``, with the texts compiled (``make texts``).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ini_files import write_ini
from packed import DOSSIER, built
from screen import running_screen

from benchmarks.rounds import Seen, table, words
from transfer.client_ini import Connection

NO_SERVER = Connection("127.0.0.1", 9, "WRITE_570013", "never sent")
"""An empty folder needs no server: the program starts, draws, finds nothing to send and ends."""


def seconds_to_drawn(command: list[str], home: Path) -> tuple[float, float]:
    """Start a program once; return the seconds to its drawn window and its largest resident size in MiB."""
    result = home / "result.json"
    tried = ["--selftest", "--result", str(result), "--ini", str(home / "envoi.ini"), "--folder", str(home / "docs")]
    began = time.time()
    with subprocess.Popen([*command, *tried], env={**os.environ, "NAVETTE_DATA": str(home / "data")}) as process:
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0  # it is reaped already
    told = json.loads(result.read_text())
    result.unlink()
    assert told["errors"] == []
    return told["drawn"] - began, used.ru_maxrss / 1024


def main() -> None:
    """Start each form of the program in turn, round after round, after one start that is not counted."""
    asked = words("start", "3 rounds").parse_args()
    rounds = asked.rounds or (3 if asked.quick else 15)
    dist = built("linux")
    programs = {
        "source": ([sys.executable, "-m", "uploader"], "-"),
        "folder (onedir)": ([str(dist / "uploader" / "uploader")], _size(dist / "uploader")),
        "one file (portable)": ([str(dist / "uploader-portable")], _size(dist / "uploader-portable")),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "docs").mkdir()
        write_ini(home / "envoi.ini", NO_SERVER, f"/{DOSSIER}")
        with running_screen(home):
            for n in range(rounds + 1):
                for name, (command, _) in programs.items():
                    figures = seconds_to_drawn(command, home)
                    if n:
                        found[name].append(figures)
    rows = [
        (
            name,
            Seen([1000 * each[0] for each in figures]),
            Seen([each[1] for each in figures]),
            programs[name][1] or "-",
        )
        for name, figures in found.items()
    ]
    table(["uploader on Linux", "ms to the drawn window", "largest MiB resident", "MB on disk"], rows)
    windows = dist.parent / "windows"
    if windows.exists():
        names = ("uploader", "uploader-portable.exe", "navette-setup.exe")
        table(["packed for Windows", "MB"], [(name, _size(windows / name)) for name in names])


def _size(path: Path) -> str:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file() and not each.is_symlink()]
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f}"


if __name__ == "__main__":
    main()
