"""Kills the mail round with SIGKILL at each named step and at random moments; never mends anything in between."""

import base64
import hashlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from firm_side import FirmSide
from mail_server import MailServer, mail_server
from navette_server import NAVETTE, ROOT, navette
from processes import end, started
from waiting import until

pytestmark = [pytest.mark.crash, pytest.mark.timeout(400)]

STEPS = tuple(
    f"mail.{step}"
    for step in (
        "met",
        "discovered",
        "downloaded",
        "placing",
        "linked",
        "stored",
        "unlinked",
        "kept",
        "at_rest",
        "expunged",
        "removed",
    )
)


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    """A mail server for all tests of this module."""
    with mail_server() as server:
        yield server


def mails(count: int) -> tuple[list[bytes], Counter[str]]:
    """Return mails with one to three files each, and the SHA-256 of all files."""
    source = random.Random(count)
    made, sums = [], Counter[str]()
    for n in range(count):
        message = EmailMessage()
        message["From"], message["Subject"] = f"client{n % 3}@example.test", f"mail {n}"
        message.set_content("Bonjour")
        for k in range(1 + n % 3):
            content = b"%PDF-1.4\n" + base64.b64encode(source.randbytes(20_000 + n)) + f"\n{n} {k}\n%%EOF\n".encode()
            sums[hashlib.sha256(content).hexdigest()] += 1
            message.add_attachment(content, maintype="application", subtype="pdf", filename="facture.pdf")
        made.append(message.as_bytes())
    return made, sums


@pytest.fixture
def firm(tmp_path: Path, running: MailServer) -> FirmSide:
    """A firm with two dossiers and rules for two of three senders."""
    for path in [*running.maildir.glob("new/*"), *running.maildir.glob("cur/*")]:
        path.unlink()
    side = FirmSide(tmp_path / "firm")
    side.add_dossier("000204", "Boulangerie Dupont")
    side.add_dossier("000205", "Bakkerij Peeters")
    navette(side.home, "rules", "add", "sender", "equals", "client0@example.test", "--dossier", "000204")
    navette(side.home, "rules", "add", "sender", "equals", "client1@example.test", "--dossier", "000205")
    return side


def start(firm: FirmSide, kill_at: str = "") -> subprocess.Popen[bytes]:
    """Start one round over the mailbox."""
    command = [*NAVETTE, "--home", firm.home, "mail", "--once"]
    return started(command, firm.home / "killed.log", {"NAVETTE_TEST_KILL_AT": kill_at}, cwd=ROOT)


def stored(firm: FirmSide) -> int:
    """Return how many files there are, finished or not."""
    return sum(len(files) for place in (firm.dossiers, firm.waiting) for _, _, files in os.walk(place))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_killed_round_is_finished_by_the_next(firm: FirmSide, running: MailServer, kind: str, step: str) -> None:
    """Whatever step the round is killed at, every file arrives exactly once and no mail is left."""
    firm.mailbox(**running.settings(kind))
    made, sums = mails(7)
    running.put(*made)
    process = start(firm, step)
    try:
        assert process.wait(60) == -signal.SIGKILL
    finally:
        end(process)
    navette(firm.home, "mail", "--once")
    assert firm.received() == sums
    assert running.messages() == []


@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_rounds_killed_at_random_moments_lose_and_double_nothing(
    firm: FirmSide, running: MailServer, kind: str
) -> None:
    """150 mails and 25 kills: nothing is lost, nothing doubled, nothing torn, and nothing is left in the mailbox."""
    firm.mailbox(**running.settings(kind))
    made, sums = mails(150)
    source = random.Random(25)
    killed = 0
    for n in range(25):
        running.put(*made[6 * n : 6 * n + 6])  # so that each round has work to be killed in
        process = start(firm)
        enough = stored(firm) + source.randrange(0, 4)
        until(lambda: process.poll() is not None or stored(firm) >= enough, seconds=60)  # noqa: B023
        time.sleep(source.uniform(0, 0.05))
        killed += process.poll() is None
        end(process, signal.SIGKILL)
    navette(firm.home, "mail", "--once")
    assert firm.received() == sums
    assert running.messages() == []
    assert killed >= 20
