"""The service as it is run: by the command line, until a signal stops it."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_side import FirmSide
from navette_server import NAVETTE, ROOT, navette
from plain_server import HANG_UP, PlainServer, plain_server
from processes import end, started
from sample_documents import pdf
from waiting import until


@pytest.fixture
def firm(tmp_path: Path) -> FirmSide:
    """A firm with a dossier."""
    side = FirmSide(tmp_path / "firm")
    side.add_dossier("000204", "Boulangerie Dupont")
    return side


@pytest.fixture
def server(tmp_path: Path, firm: FirmSide) -> Iterator[PlainServer]:
    """A plain server from which the firm collects."""
    with plain_server(tmp_path / "server") as running:
        firm.collect_from(running.connection, fetch__settle_seconds="0")
        yield running


class Service:
    """A running service and what it said."""

    def __init__(self, firm: FirmSide) -> None:
        self._log = firm.home / "service.log"
        self._log.write_bytes(b"")
        command = [*NAVETTE, "--home", firm.home, "--language", "fr", "service", "run"]
        self._process = started(command, self._log, cwd=ROOT)

    @property
    def said(self) -> str:
        """All output so far."""
        return self._log.read_text()

    def end(self, how: int) -> int:
        """End it by a signal and return its exit code."""
        return end(self._process, how)


@pytest.fixture
def service(firm: FirmSide, server: PlainServer) -> Iterator[Service]:
    """A running service."""
    running = Service(firm)
    yield running
    running.end(signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_service_collects_until_a_signal_stops_it(firm: FirmSide, server: PlainServer, how: signal.Signals) -> None:
    """It says what it delivers and how each round ended; a signal ends it cleanly between two rounds."""
    server.put("000204/a.pdf", pdf("a"))
    server.put("999999/b.pdf", pdf("b"))
    service = Service(firm)
    try:
        until(lambda: "Passage terminé" in service.said, 30, "the first round to end")
    finally:
        assert service.end(how) == 0
    assert "a.pdf → dossier 000204" in service.said
    assert "b.pdf → liste d'attente (déposé pour le dossier 999999, qui n'existe pas)" in service.said
    assert "Passage terminé : 1 dans leur dossier, 1 en attente, 0 en échec." in service.said
    assert service.said.endswith("Le service est arrêté.\n")
    assert (len(firm.documents("000204")), server.files()) == (1, {})


def test_a_round_that_is_told_to_stop_finishes_its_document(firm: FirmSide, server: PlainServer) -> None:
    """The signal comes while documents are fetched: what was begun is delivered, and the rest stays."""
    for n in range(200):
        server.put(f"000204/{n}.pdf", pdf(str(n)))
    service = Service(firm)
    try:
        until(lambda: sum(verb == "RETR" for verb, _ in list(server.heard)) > 10, 30, "documents to be fetched")
    finally:
        assert service.end(signal.SIGTERM) == 0
    there, stored = server.files(), firm.documents("000204")
    assert sorted([*there.values(), *stored.values()]) == sorted(pdf(str(n)) for n in range(200))
    assert there
    assert stored


def test_a_second_service_is_refused_by_a_sentence(firm: FirmSide, service: Service) -> None:
    """It says on which machine the service runs already, since when, and ends with 2; so does a round by hand."""
    until(lambda: "Passage terminé" in service.said, 30, "the first round to end")
    for words in (("service", "run"), ("fetch", "--once")):
        told: subprocess.CompletedProcess[str] = navette(firm.home, "--language", "fr", *words, check=False)
        assert told.returncode == 2
        assert told.stderr.startswith("Le service tourne déjà sur ")
        assert told.stderr.endswith("[designation.runs_elsewhere]\n")
    navette(firm.home, "dossier", "add", "000300", "All else may go on")


def test_a_round_that_fails_is_told_with_its_code_and_the_service_goes_on(firm: FirmSide, server: PlainServer) -> None:
    """A server that hangs up gives a sentence on the screen and a code in the log, without a traceback."""
    server.hook = lambda *_: HANG_UP
    service = Service(firm)
    try:
        until(lambda: "Passage" in service.said, 30, "the first round to end")
    finally:
        assert service.end(signal.SIGTERM) == 0
    assert "Passage interrompu : " in service.said
    assert "session.interrupted host=127.0.0.1" in service.said
    assert "Traceback" not in service.said
    assert service.said.endswith("Le service est arrêté.\n")


def test_no_password_reaches_the_output(firm: FirmSide, server: PlainServer) -> None:
    """Neither a round nor the list of settings nor a refused login shows it."""
    firm.set(ftp__read_password="Zeer-geheim-9X")
    told = firm.fetch(check=False)
    listed = navette(firm.home, "settings", "list")
    assert told.returncode == 2
    assert "[session.login_refused]" in told.stderr
    assert "Zeer-geheim-9X" not in told.stdout + told.stderr + listed.stdout + listed.stderr


def test_the_service_pauses_goes_on_and_says_what_comes_next(firm: FirmSide, server: PlainServer) -> None:
    """Started by hand it waits for a word; each state is told in three languages, and what was asked for is done."""
    firm.set(service__start="manual")
    told = navette(firm.home, "--language", "en", "service", "status").stdout
    assert "does not run" in told
    server.put("000204/a.pdf", pdf("a"))
    service = Service(firm)
    try:
        until(
            lambda: "est en pause" in navette(firm.home, "--language", "fr", "service", "status").stdout, 30, "a pause"
        )
        assert len(server.files()) == 1
        navette(firm.home, "service", "now")
        until(lambda: server.files() == {}, 30, "the round that was asked for")
        server.put("000204/b.pdf", pdf("b"))
        navette(firm.home, "service", "resume")
        until(lambda: server.files() == {}, 30, "the service to go on")
        due = "Volgende ronde op"
        until(lambda: due in navette(firm.home, "--language", "nl", "service", "status").stdout, 30, "the next round")
        navette(firm.home, "service", "pause")
        assert "pauses" in navette(firm.home, "--language", "en", "service", "status").stdout
    finally:
        assert service.end(signal.SIGTERM) == 0
    assert len(firm.documents("000204")) == 2


def test_what_fails_is_listed_and_tried_again_by_command(firm: FirmSide, server: PlainServer) -> None:
    """The list names the file, why it fails and when it is due; a person's word is kept."""
    server.put("000204/a.pdf", pdf("a")[:-30])
    firm.fetch(check=False)
    for language, words in {"en": "1 attempts", "fr": "1 essais", "nl": "1 pogingen"}.items():
        listed = navette(firm.home, "--language", language, "fetch", "--failed").stdout
        assert "/000204/a.pdf" in listed
        assert "[fetch.torn]" in listed
        assert words in listed
    navette(firm.home, "fetch", "--retry", "1")
    assert "No document fails." in navette(firm.home, "--language", "en", "fetch", "--failed").stdout
    refused = navette(firm.home, "fetch", "--retry", "1", check=False)
    assert (refused.returncode, "[failing.not_failing]" in refused.stderr) == (2, True)
