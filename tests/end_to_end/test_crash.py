"""Kills uploader, server and round with SIGKILL, at each named step and at random; never mends anything in between."""

import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from client_side import ClientSide
from firm_side import FirmSide, fingerprints
from navette_server import NavetteServer
from processes import end
from sample_documents import small_documents
from waiting import until

from transfer.ftp_session import FtpSession

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

UPLOADER_STEPS = ("upload.sent", "upload.confirmed", "upload.recorded", "upload.removed")
SERVER_STEPS = (
    "server.received",
    "server.recorded",
    "server.linked",
    "server.synced",
    "server.answered",
    "server.settled",
)
FETCHER_STEPS = (
    "fetch.discovered",
    "fetch.downloaded",
    "fetch.placing",
    "fetch.linked",
    "fetch.stored",
    "fetch.unlinked",
    "fetch.removed",
)
DOCUMENTS = 200
VICTIMS = {"uploader": (14, 0.1, 0.4), "server": (12, 0.05, 0.8), "fetcher": (14, 0.2, 0.6)}
"""How often each is killed at random, and how many seconds after it was seen running, at least and at most."""

KILLED = -signal.SIGKILL


class Way:
    """The way from a client's folder to the firm, on which any program may be killed."""

    def __init__(self, server: NavetteServer, client: ClientSide, firm: FirmSide, folder: Path) -> None:
        self.server = server
        self.client = client
        self.firm = firm
        self.folder = folder
        self.sent: Counter[str] = Counter()
        self._batches = 0

    def add_documents(self, count: int) -> None:
        """Put new documents into the client's folder, each whole at once, as a program that saves properly does."""
        self._batches += 1
        fresh = self.folder / f"fresh {self._batches}"
        fresh.mkdir()
        paths = small_documents(fresh, count, self._batches)
        self.sent += fingerprints(paths)
        for path in paths:
            path.rename(self.client.folder / path.name)

    def restart_server(self, kill_at: str | None = None, how: int = signal.SIGTERM) -> None:
        """End the server by a signal and start it anew, to die at a step if one is named."""
        self.server.stop(how)
        self.server.start(kill_at)

    def fetch(self, kill_at: str = "") -> int:
        """Run one round and return its exit code."""
        process = self.firm.start_fetching(self.folder / "fetch.log", kill_at)
        try:
            return process.wait(60)
        finally:
            end(process, signal.SIGKILL)

    def finish(self) -> None:
        """Let all three run undisturbed until nothing is under way, then compare what was sent with what is there."""
        self.restart_server()
        until(lambda: self.client.upload().code == 0 and not self.client.left(), 60, "the uploader to send the rest")
        until(lambda: self.fetch() == 0 and not self._on_the_server(), 60, "the rounds to collect the rest")
        received = self.firm.received()
        assert not self.sent - received, "lost"
        assert not received - self.sent, "doubled or torn"

    def _on_the_server(self) -> list[str]:
        with FtpSession(self.server.connection("READ_570013")) as session:
            return [found.path for found in session.walk("/")]


@pytest.fixture
def way(navette_server: NavetteServer, client: ClientSide, firm: FirmSide, tmp_path: Path) -> Way:
    """The whole way, with nothing on it."""
    return Way(navette_server, client, firm, tmp_path)


def test_killed_at_each_named_step_nothing_is_lost_doubled_or_torn(way: Way) -> None:
    """Each of the three dies once at each of its steps, with 200 documents on the way; each arrives exactly once."""
    share = DOCUMENTS // (len(UPLOADER_STEPS) + len(SERVER_STEPS) + len(FETCHER_STEPS))
    for n, step in enumerate(UPLOADER_STEPS):
        way.add_documents(share)
        assert way.client.upload(f"{step}:{1 + 2 * n}").code == KILLED, step
    for n, step in enumerate(SERVER_STEPS):
        way.add_documents(share)
        way.restart_server(step if step == "server.settled" else f"{step}:{1 + n}")  # one pass settles many
        uploader = way.client.start_uploading(way.folder / "uploader.log")
        until(lambda: not way.server.running, 20, f"the server to die at {step}")
        assert way.server.stop() == KILLED
        end(uploader, signal.SIGKILL)
    way.restart_server()
    for step in FETCHER_STEPS:
        way.add_documents(share)
        assert way.client.upload().code == 0
        assert way.fetch(step) == KILLED, step
    way.add_documents(DOCUMENTS - way.sent.total())
    way.finish()


@pytest.mark.parametrize("run", [1, 2])
def test_killed_at_random_moments_nothing_is_lost_doubled_or_torn(run: int, way: Way) -> None:
    """All three run at once and are killed again and again; each of 200 documents arrives exactly once."""
    seed = int(os.environ.get("NAVETTE_TEST_SEED") or random.randrange(2**32))
    print(f"NAVETTE_TEST_SEED={seed}")
    chance = random.Random(seed + run)
    running: dict[str, subprocess.Popen[bytes]] = {}
    starts: dict[str, Callable[[], subprocess.Popen[bytes]]] = {
        "uploader": lambda: way.client.start_uploading(way.folder / "uploader.log", connections=chance.randint(1, 4)),
        "fetcher": lambda: way.firm.start_fetching(way.folder / "fetch.log"),
    }
    victims = [name for name, (times, _, _) in VICTIMS.items() for _ in range(times)]
    chance.shuffle(victims)
    killed: Counter[str] = Counter()
    try:
        for victim in victims:
            way.add_documents(DOCUMENTS // len(victims))
            for name, start in starts.items():
                if name not in running or running[name].poll() is not None:
                    running[name] = start()
            threading.Event().wait(chance.uniform(*VICTIMS[victim][1:]))
            if victim == "server":
                way.restart_server(how=signal.SIGKILL)
                killed["server"] += 1
            else:
                killed[victim] += end(running.pop(victim), signal.SIGKILL) == KILLED
    finally:
        for process in running.values():
            end(process, signal.SIGKILL)
    print(f"killed while running: {dict(killed)}")
    assert killed.total() > len(victims) // 3, "the moments were too late to hit anything"
    way.finish()
