"""Measures the client's uploader beside lftp's mirror, on loopback and on a slow line, and its window; never a test.

Run it as ``python -m benchmarks.uploader [--quick] [--rounds N] [--only loopback|line|window]``.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ini_files import write_ini
from navette_server import FIDUCIARY, ROOT, NavetteServer
from peers import DOSSIER, peer
from scanners import lftp_command
from screen import running_screen

from benchmarks.disk import working_folder
from benchmarks.documents import COUNT, make
from benchmarks.rounds import Seen, chosen, ratio, table, words
from benchmarks.slow_line import HERE, slow_line
from transfer.client_ini import Connection, Security

CONNECTIONS = 8
DELAY, MEGABITS = 0.010, 50
"""Of the slow line: seconds each way, and how much it carries."""

Serving = Callable[[Path], contextlib.AbstractContextManager[tuple[Connection, list[int]]]]
"""Runs a server in a folder; tells how to connect and on which ports it listens."""


@contextlib.contextmanager
def own(folder: Path) -> Iterator[tuple[Connection, list[int]]]:
    """Navette's own server, over FTPS as its clients use it."""
    server = NavetteServer(folder)
    server.add_accounts()
    server.start()
    try:
        yield server.connection(f"WRITE_{FIDUCIARY}"), [server.port, *server.passive]
    finally:
        server.stop()


@contextlib.contextmanager
def pure_ftpd(folder: Path) -> Iterator[tuple[Connection, list[int]]]:
    """Pure-FTPd in clear text, which tells sizes but no hashes."""
    folder.mkdir()
    with peer("pure-ftpd", folder, Security.NONE) as running:
        yield running.connection, [running.connection.port]


def uploader(connection: Connection, documents: Path, work: Path) -> None:
    """Send with the uploader's silent mode: every file hashed, verified, recorded and then removed."""
    ini = write_ini(work / "envoi.ini", connection, f"/{DOSSIER}")
    command = [sys.executable, "-m", "uploader", "--silent", "--json", "--settle", "0"]
    command += ["--connections", str(CONNECTIONS), "--folder", str(documents), "--ini", str(ini)]
    environment = {**os.environ, "NAVETTE_DATA": str(work / "data"), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def lftp(connection: Connection, documents: Path, work: Path) -> None:
    """Send with lftp's mirror, which verifies nothing, records nothing and removes nothing."""
    del work
    mirror = f'set ftp:prefer-epsv yes; mirror -R --no-perms --parallel={CONNECTIONS} "{documents}" /{DOSSIER}'
    tls = connection.security is Security.TLS
    subprocess.run(lftp_command(connection, mirror, tls), check=True, capture_output=True)


SENDERS = {"uploader": uploader, "lftp mirror": lftp}


def measure(
    serving: Serving, send: Callable[[Connection, Path, Path], None], paths: list[Path], run: Path, line: bool
) -> float:
    """Send all documents once to a fresh server; return the seconds, with the start of the program in them."""
    run.mkdir()
    documents = run / "documents"
    documents.mkdir()
    for path in paths:
        os.link(path, documents / path.name)
    with contextlib.ExitStack() as stack:
        connection, ports = stack.enter_context(serving(run / "server"))
        if line:
            stack.enter_context(slow_line(ports, DELAY, MEGABITS * 1e6 / 8))
            connection = replace(connection, host=HERE)
        began = time.perf_counter()
        send(connection, documents, run)
        took = time.perf_counter() - began
    shutil.rmtree(run)
    return took


def transfers(
    title: str, servers: dict[str, Serving], paths: list[Path], folder: Path, *, rounds: int, line: bool
) -> None:
    """Measure both senders in turn to each server and print files per second and their ratio."""
    took: dict[tuple[str, str], list[float]] = {}
    for n in range(rounds):
        for server, serving in servers.items():
            for sender, send in SENDERS.items():
                took.setdefault((server, sender), []).append(measure(serving, send, paths, folder / f"run-{n}", line))
    size = sum(path.stat().st_size for path in paths)
    rows = []
    for server in servers:
        rates = [Seen([len(paths) / seconds for seconds in took[server, sender]]) for sender in SENDERS]
        used = Seen([100 * size / seconds / (MEGABITS * 1e6 / 8) for seconds in took[server, "uploader"]])
        rows.append((server, *rates, ratio(*rates), *([used] if line else [])))
    table([title, *(f"{sender}, files/s" for sender in SENDERS), "ratio", *(["% of the line"] if line else [])], rows)


_WINDOW = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from uploader.window import Window
window = Window(Path(sys.argv[1]), Path(sys.argv[2]), None)
window.update()
drawn = time.perf_counter()
longest, last = 0.0, drawn
while len(window._page._list.tree.get_children()) < int(sys.argv[3]):
    window.update()
    now = time.perf_counter()
    longest, last = max(longest, now - last), now
listed, used = time.perf_counter(), time.process_time()
status = Path("/proc/self/status").read_text()
peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
window.close()
print(drawn - began, listed - began, longest, int(peak) / 1024, used)
"""


def window(folder: Path, rounds: int) -> None:
    """Measure the start of the window and how soon it lists folders, and print it."""
    rows = []
    (folder / "screen").mkdir()
    ini = write_ini(folder / "envoi.ini", Connection("127.0.0.1", 21, "x", "x", Security.NONE), "/")
    with running_screen(folder / "screen"):
        for count in (10, 2_000, 10_000):
            listed = folder / f"listed-{count}"
            listed.mkdir()
            for n in range(count):
                (listed / f"Facture {n:05}.pdf").touch()
                os.utime(listed / f"Facture {n:05}.pdf", (1e9, 1e9))
            environment = {**os.environ, "NAVETTE_DATA": str(folder / "user"), "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", _WINDOW, str(ini), str(listed), str(count)]
            told = []
            for _ in range(rounds):
                before = time.perf_counter()
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
                whole = time.perf_counter() - before
                told.append([*map(float, done.stdout.split()), whole])
            drawn, ready, longest, peak, used, whole = (list(each) for each in zip(*told, strict=True))
            rows.append(
                (
                    f"{count:,}",
                    Seen(drawn, ".2f"),
                    Seen(ready, ".2f"),
                    Seen([1000 * gap for gap in longest]),
                    Seen(used, ".2f"),
                    Seen(peak),
                    Seen(whole, ".2f"),
                )
            )
    heads = ["files", "drawn after s", "all listed after s", "longest wait ms", "CPU s", "memory MiB", "start to end s"]
    table(heads, rows)


def main() -> None:
    """Measure what is asked for and print the tables."""
    parser = words("uploader", "300 documents and 2 rounds")
    asked = parser.parse_args()
    count, rounds = (300, 2) if asked.quick else (COUNT, 3)
    rounds = asked.rounds or rounds
    parts = chosen(["loopback", "line", "window"], asked.only)
    with working_folder(2560) as folder:
        (folder / "documents").mkdir()
        paths = make(folder / "documents", count)
        for path in paths:
            os.utime(path, (1e9, 1e9))
        servers: dict[str, Serving] = {"Navette, FTPS": own, "Pure-FTPd, plain": pure_ftpd}
        print(f"{count} documents, {CONNECTIONS} connections, {rounds} rounds, median (lowest-highest)\n")
        if "loopback" in parts:
            transfers("Loopback", servers, paths, folder, rounds=rounds, line=False)
        if "line" in parts:
            some = paths[: max(100, count // 5)]
            title = f"{2000 * DELAY:.0f} ms there and back, {MEGABITS} Mbit/s, {len(some)} documents"
            transfers(title, {"Navette, FTPS": own}, some, folder, rounds=rounds, line=True)
        if "window" in parts:
            window(folder, max(3, rounds))


if __name__ == "__main__":
    main()
