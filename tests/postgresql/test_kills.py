"""Kills rounds with SIGKILL at each named step and at random moments: on both databases, against our server and vsftpd.

The long form (``make kills``) is 200 moments over 1,000 documents for each pair.
"""

import io
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from firm_side import FirmSide, fingerprints
from navette_server import FIDUCIARY, NavetteServer
from peers import DOSSIER, peer
from postgresql import PostgreSQL
from processes import end
from sample_documents import small_documents
from sqlalchemy import func, select

from dossiers import tables
from dossiers.firm import Firm
from transfer.ftp_session import FtpSession

pytestmark = [pytest.mark.crash, pytest.mark.peer, pytest.mark.timeout(1200)]

MOMENTS = int(os.environ.get("NAVETTE_KILLS", "20"))
DOCUMENTS = int(os.environ.get("NAVETTE_KILL_DOCUMENTS", "200"))
STEPS = [f"fetch.{step}" for step in ("discovered", "downloaded", "placing", "linked", "stored", "unlinked", "removed")]
PAIRS = [("sqlite", "vsftpd"), ("postgresql", "vsftpd"), ("postgresql", "own"), ("sqlite", "own")]


@dataclass
class Way:
    """A server with documents and a firm that collects them; ``put`` deposits, ``left`` counts what is there."""

    firm: FirmSide
    put: Callable[[list[Path]], None]
    left: Callable[[], int]
    log: Path

    def round(self, seconds: float | None = None, kill_at: str = "") -> tuple[int, float]:
        """Run a round to its end, or kill it after so many seconds; return its exit code and how long it took."""
        began = time.monotonic()
        process = self.firm.start_fetching(self.log, kill_at)
        try:
            if seconds is not None:
                time.sleep(seconds)
                process.kill()
            return process.wait(60), time.monotonic() - began
        finally:
            end(process, signal.SIGKILL)


@pytest.fixture
def firm(tmp_path: Path, request: pytest.FixtureRequest, server: PostgreSQL) -> FirmSide:
    """A firm on the database that the test names first."""
    home = tmp_path / "firm"
    (home / "firm").mkdir(parents=True)
    if request.node.callspec.params["pair"][0] == "postgresql":
        (home / "firm" / "database.url").write_text(server.new_database())
    side = FirmSide(home)
    side.add_dossier(DOSSIER, "Boulangerie Dupont")
    return side


@pytest.fixture
def way(tmp_path: Path, request: pytest.FixtureRequest, firm: FirmSide) -> Iterator[Way]:
    """The way from the server that the test names second."""
    log = tmp_path / "fetch.log"
    if request.node.callspec.params["pair"][1] == "own":
        own = NavetteServer(tmp_path / "navette")
        own.add_accounts()
        own.start()
        firm.collect_from(own.connection(f"READ_{FIDUCIARY}"))

        def deposit(paths: list[Path]) -> None:
            with FtpSession(own.connection(f"WRITE_{FIDUCIARY}")) as session:
                session.make_folder(f"/{DOSSIER}")
                for path in paths:
                    session.store(io.BytesIO(path.read_bytes()), f"/{DOSSIER}/{path.name}")

        yield Way(firm, deposit, lambda: len(own.published()), log)
        own.stop()
        return
    (tmp_path / "peer").mkdir()
    with peer("vsftpd", tmp_path / "peer") as other:
        firm.collect_from(other.connection, fetch__settle_seconds="0")

        def copy(paths: list[Path]) -> None:
            for path in paths:
                made = other.root / DOSSIER / f".{path.name}"
                shutil.copy(path, made)
                shutil.chown(made, "daemon")
                made.rename(other.root / DOSSIER / path.name)

        yield Way(firm, copy, lambda: len(list((other.root / DOSSIER).iterdir())), log)


def check(way: Way, sent: Counter[str], folder: Path) -> None:
    """Check that each document is there once and whole, that none is left, and that the database says the same."""
    assert way.firm.received() == sent
    assert way.left() == 0
    with Firm(way.firm.home) as firm, firm.database.read() as connection:
        states = select(tables.documents.c.state, func.count()).group_by(tables.documents.c.state)
        found = {row[0]: row[1] for row in connection.execute(states)}
    assert found.pop("removed") == sent.total()
    assert set(found) <= {"vanished"}
    shutil.rmtree(folder)


@pytest.mark.parametrize("pair", PAIRS[1:3], ids="-".join)
def test_a_round_killed_at_each_step_loses_and_doubles_nothing(way: Way, tmp_path: Path, pair: tuple[str, str]) -> None:
    """On PostgreSQL too: after each kill the next round leaves every document once, whole, and none at the source."""
    sent: Counter[str] = Counter()
    for n, step in enumerate(STEPS):
        folder = tmp_path / f"sent {n}"
        folder.mkdir()
        paths = small_documents(folder, 12, n)
        sent += fingerprints(paths)
        way.put(paths)
        assert way.round(kill_at=step)[0] == -signal.SIGKILL
        assert way.round()[0] == 0
        assert way.firm.received() == sent
    check(way, sent, tmp_path / "sent 0")


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_rounds_killed_at_random_moments_lose_and_double_nothing(
    way: Way, tmp_path: Path, pair: tuple[str, str]
) -> None:
    """Killed again and again while documents keep coming: 0 lost, 0 doubled, 0 torn."""
    chance = random.Random("-".join(pair))
    folder = tmp_path / "sent"
    folder.mkdir()
    paths = small_documents(folder, DOCUMENTS, 1)
    sent = fingerprints(paths)
    share = -(-DOCUMENTS // (MOMENTS + 1))
    way.put(paths[:share])
    _, whole = way.round()
    killed = 0
    for n in range(1, MOMENTS + 1):
        way.put(paths[n * share : (n + 1) * share])
        code, took = way.round(chance.uniform(whole * 0.3, whole))
        killed += code == -signal.SIGKILL
        whole = whole if code else min(whole, took)  # the first one also made ready what the later ones find
    assert killed > MOMENTS // 2
    assert way.round()[0] == 0
    check(way, sent, folder)
