"""Kills the round and the assignment with SIGKILL at each named step; never mends anything in between."""

import io
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_side import FirmSide
from navette_server import FIDUCIARY, NAVETTE, ROOT, NavetteServer, navette
from plain_server import PlainServer, plain_server
from processes import end, started
from sample_documents import pdf

from transfer.ftp_session import FtpSession

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

STEPS = tuple(
    f"fetch.{step}" for step in ("discovered", "downloaded", "placing", "linked", "stored", "unlinked", "removed")
)
ASSIGNING = tuple(f"assign.{step}" for step in ("assigning", "copied", "placing", "linked", "stored", "removed"))
KILLED = -signal.SIGKILL
FILES = {
    f"{folder}/{name}": pdf(f"{folder} {name}")
    for folder in ("000204", "000205", "999999")
    for name in ("facturée.pdf", "Scan.pdf", "SCAN.PDF", "ticket 🧾.pdf", "e.pdf", "f.pdf")
}


def killed(firm: FirmSide, step: str, *words: str) -> int:
    """Run a command of the firm that dies at a step, and return its exit code."""
    command = [*NAVETTE, "--home", firm.home, *words]
    process = started(command, firm.home / "killed.log", {"NAVETTE_TEST_KILL_AT": step}, cwd=ROOT)
    try:
        return process.wait(60)
    finally:
        end(process, signal.SIGKILL)


@pytest.fixture
def firm(tmp_path: Path) -> FirmSide:
    """A firm with two dossiers."""
    side = FirmSide(tmp_path / "firm")
    side.add_dossier("000204", "Boulangerie Dupont")
    side.add_dossier("000205", "Bakkerij Peeters")
    return side


@pytest.fixture
def plain(tmp_path: Path, firm: FirmSide) -> Iterator[PlainServer]:
    """A server that tells no hashes, with documents."""
    with plain_server(tmp_path / "server") as server:
        firm.collect_from(server.connection, fetch__settle_seconds="0")
        for path, content in FILES.items():
            server.put(path, content)
        yield server


@pytest.fixture
def own(navette_server: NavetteServer, firm: FirmSide) -> NavetteServer:
    """Navette's server, with the same documents deposited."""
    firm.collect_from(navette_server.connection(f"READ_{FIDUCIARY}"))
    with FtpSession(navette_server.connection(f"WRITE_{FIDUCIARY}")) as session:
        for path, content in FILES.items():
            session.make_folder(f"/{path.partition('/')[0]}")
            session.store(io.BytesIO(content), f"/{path}")
    return navette_server


def all_arrived(firm: FirmSide) -> None:
    """Check that each document is there once, in its dossier or waiting, and that nothing else is."""
    assert sorted(firm.documents("000204").values()) == sorted(c for p, c in FILES.items() if p.startswith("000204"))
    assert sorted(firm.documents("000205").values()) == sorted(c for p, c in FILES.items() if p.startswith("000205"))
    assert sorted(firm.waiting_documents().values()) == sorted(c for p, c in FILES.items() if p.startswith("999999"))


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_round_is_finished_by_the_next_from_any_server(firm: FirmSide, plain: PlainServer, step: str) -> None:
    """From a server without hashes: whatever step the round is killed at, every document arrives exactly once."""
    assert killed(firm, step, "fetch", "--once") == KILLED
    firm.fetch()
    all_arrived(firm)
    assert plain.files() == {}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_round_is_finished_by_the_next_from_our_server(firm: FirmSide, own: NavetteServer, step: str) -> None:
    """From our own server: whatever step the round is killed at, every document arrives exactly once."""
    assert killed(firm, step, "fetch", "--once") == KILLED
    firm.fetch()
    all_arrived(firm)
    with FtpSession(own.connection(f"READ_{FIDUCIARY}")) as session:
        assert list(session.walk()) == []


def test_rounds_that_are_all_killed_still_lose_nothing(firm: FirmSide, plain: PlainServer) -> None:
    """Round after round dies, each at another step and another document, before one may end."""
    for n, step in enumerate(reversed(STEPS)):
        killed(firm, f"{step}:{1 + n % 3}", "fetch", "--once")
    firm.fetch()
    all_arrived(firm)
    assert plain.files() == {}


@pytest.mark.parametrize("step", ASSIGNING)
def test_a_killed_assignment_is_finished_by_the_next_round(firm: FirmSide, plain: PlainServer, step: str) -> None:
    """Whatever step an assignment is killed at, the document ends up once, in its dossier."""
    firm.fetch()
    listed = navette(firm.home, "waiting", "list").stdout
    document = next(line.split()[0] for line in listed.splitlines() if "  e.pdf  " in line)
    before = firm.received()
    assert killed(firm, step, "waiting", "assign", document, "000204") == KILLED
    firm.fetch()
    assert firm.received() == before
    assert FILES["999999/e.pdf"] in firm.documents("000204").values()
    assert plain.files() == {}


def test_of_two_rounds_at_once_one_runs(firm: FirmSide, plain: PlainServer) -> None:
    """Two programs that start a round at the same moment: every document once, and the refused one says who runs."""
    logs = [firm.home / "one.log", firm.home / "two.log"]
    running = [firm.start_fetching(log) for log in logs]
    try:
        codes = [process.wait(60) for process in running]
    finally:
        for process in running:
            end(process, signal.SIGKILL)
    assert set(codes) <= {0, 2}
    assert 0 in codes
    for code, log in zip(codes, logs, strict=True):
        assert (code == 2) == ("[designation.runs_elsewhere]" in log.read_text())
    firm.fetch()
    all_arrived(firm)
    assert plain.files() == {}


def test_the_leases_of_killed_programs_keep_nobody_waiting(firm: FirmSide, plain: PlainServer) -> None:
    """The next round runs at once, not when the dead one's lease would have run out."""
    assert killed(firm, "fetch.stored", "fetch", "--once") == KILLED
    told: subprocess.CompletedProcess[str] = firm.fetch()
    assert told.returncode == 0
    all_arrived(firm)
