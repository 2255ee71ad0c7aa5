"""Several worker programs share a firm's sources over PostgreSQL: never two at one source, whatever happens to them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from firm_rooms import START, Clock, opened
from firm_side import FirmSide
from navette_server import NAVETTE, ROOT, navette
from plain_server import PlainServer, plain_server
from processes import end, started
from sample_documents import pdf
from sqlalchemy import select
from waiting import until

from dossiers import rounds, tables
from dossiers.designation import assigning, collecting, running_rounds
from dossiers.due import due, is_due
from dossiers.firm import Firm
from dossiers.rounds import Result, Status
from transfer.failures import PermanentFailure, TemporaryFailure

pytestmark = pytest.mark.timeout(240)


class Farm:
    """A firm, three FTP servers from which it collects, and the workers that do it."""

    def __init__(self, home: Path, servers: list[PlainServer], logs: Path) -> None:
        self.firm = FirmSide(home)
        self.servers = servers
        self._logs = logs
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self.firm.add_dossier("000204", "Boulangerie Dupont")
        nodes = " ".join(f"127.0.0.1:{server.connection.port}" for server in servers[1:])
        self.firm.collect_from(
            servers[0].connection,
            fetch__settle_seconds="0",
            fetch__connections="1",
            service__minutes="1",
            service__scale="yes",
            ftp__nodes=nodes,
            alarms__free_gib="0",
        )

    def start(self, name: str) -> None:
        """Start a worker."""
        command = [*NAVETTE, "--home", self.firm.home, "worker"]
        self._workers[name] = started(command, self.log(name), cwd=ROOT)

    def log(self, name: str) -> Path:
        """Return where a worker's output is."""
        return self._logs / f"{name}.log"

    def tell(self, name: str, how: signal.Signals) -> None:
        """Send a signal to a worker."""
        self._workers[name].send_signal(how)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """End a worker, and return its exit code."""
        return end(self._workers.pop(name), how, 40)

    def end_all(self) -> None:
        """End those that are left."""
        for name in list(self._workers):
            self.end(name, signal.SIGKILL)

    def put(self, words: str, count: int) -> list[bytes]:
        """Put documents on all servers, and return them."""
        made = []
        for n, server in enumerate(self.servers):
            for m in range(count):
                made.append(pdf(f"{words} {n} {m}"))
                server.put(f"000204/{words} {n} {m}.pdf", made[-1])
        return made

    def left(self) -> int:
        """Return how many documents are still on the servers."""
        return sum(len(os.listdir(server.root / "000204")) for server in self.servers)

    def collectors(self) -> dict[str, int]:
        """Return which process holds which source now or held it last."""
        with Firm(self.firm.home) as firm, firm.database.read() as connection:
            rows = connection.execute(select(tables.lease).where(tables.lease.c.name.startswith("source ftp"))).all()
        return {row.name.removeprefix("source "): row.process for row in rows}


@pytest.fixture
def farm(home: Path, tmp_path: Path) -> Iterator[Farm]:
    """Three servers."""
    with ExitStack() as stack:
        servers = [stack.enter_context(plain_server(tmp_path / f"server {n}")) for n in range(3)]
        farm = Farm(home, servers, tmp_path)
        stack.callback(farm.end_all)
        yield farm


def check(farm: Farm, sent: list[bytes]) -> None:
    """Check that all arrived once, and that no source ever had a writer after a later one."""
    assert sorted(farm.firm.documents("000204").values()) == sorted(sent)
    with Firm(farm.firm.home) as firm, firm.database.read() as connection:
        journal, documents = tables.journal.c, tables.documents.c
        query = select(documents.source, journal.epoch).join(tables.documents, documents.id == journal.document)
        written: dict[str, list[int]] = {}
        for source, epoch in connection.execute(query.order_by(journal.id)):
            written.setdefault(source, []).append(epoch)
    assert len(written) == 3
    for epochs in written.values():
        assert epochs == sorted(epochs)


def test_workers_collect_from_all_nodes_and_stop_politely(farm: Farm) -> None:
    """Two programs share three servers; each document arrives once, and both end with 0 when they are told to."""
    sent = farm.put("a", 20)
    farm.start("one")
    farm.start("two")
    until(lambda: not farm.left(), 60, "all to be collected")
    assert sorted(farm.collectors()) == sorted(
        ["ftp", *(f"ftp:127.0.0.1:{server.connection.port}" for server in farm.servers[1:])]
    )
    told = navette(farm.firm.home, "fetch", "--once", check=False)
    assert (told.returncode, "[designation.scaled]" in told.stderr) == (2, True)
    assert [farm.end(name) for name in ("one", "two")] == [0, 0]
    check(farm, sent)
    assert "Traceback" not in farm.log("one").read_text() + farm.log("two").read_text()


def test_what_a_killed_worker_had_is_taken_over(farm: Farm) -> None:
    """It dies in the middle of its rounds; another ends its jobs, collects from its sources, and nothing is doubled."""
    sent = farm.put("a", 300)
    farm.start("one")
    until(lambda: farm.left() < 860, 60, "rounds to be under way")
    farm.end("one", signal.SIGKILL)
    assert farm.left() > 0
    farm.start("two")
    until(lambda: not farm.left(), 120, "the other to take over")
    check(farm, sent)


def test_a_frozen_worker_that_wakes_late_writes_nothing_more(farm: Farm) -> None:
    """Its sources are another's by then: each epoch of a source has one writer, and none writes after a later one."""
    sent = farm.put("a", 300)
    farm.start("one")
    until(lambda: farm.left() < 860, 60, "rounds to be under way")
    farm.tell("one", signal.SIGSTOP)
    frozen = set(farm.collectors().values())
    farm.start("two")
    with Firm(farm.firm.home) as firm, firm.database.write() as connection:
        connection.execute(tables.lease.update().values(expires=firm.clock()))  # rather than after 90 seconds
    until(lambda: frozen.isdisjoint(farm.collectors().values()), 120, "the other to take over")
    farm.tell("one", signal.SIGCONT)
    until(lambda: not farm.left(), 120, "all to be collected")
    until(lambda: "designation.lost" in farm.log("one").read_text(), 60, "the frozen one to notice")
    assert [farm.end(name) for name in ("one", "two")] == [0, 0]
    check(farm, sent)
    assert "Traceback" not in farm.log("one").read_text() + farm.log("two").read_text()


def test_a_source_has_one_collector(home: Path, clock: Clock) -> None:
    """Others are told who; the service of one machine and shared rounds keep each other out, both ways."""
    with opened(home, clock) as firm, opened(home, clock, "PC-2") as other:
        with pytest.raises(PermanentFailure, match=r"designation\.not_scaled"), collecting(firm, "ftp"):
            pass
        with running_rounds(firm):
            firm.settings.set("service.scale", "yes")
            with pytest.raises(TemporaryFailure, match=r"designation\.source_busy"), collecting(other, "ftp"):
                pass
        with collecting(firm, "ftp") as lease, collecting(other, "mail"):
            assert lease.epoch == 1
            with pytest.raises(TemporaryFailure, match=r"machine=PC-1"), collecting(other, "ftp"):
                pass
            with assigning(other):
                pass
            with pytest.raises(PermanentFailure, match=r"designation\.scaled"), running_rounds(firm):
                pass
            firm.settings.set("service.scale", "no")
            with pytest.raises(PermanentFailure, match=r"designation\.runs_elsewhere"), running_rounds(firm):
                pass


def test_what_is_due_is_planned(home: Path, clock: Clock) -> None:
    """Never run, ended long enough ago, left without an end, or asked for; never what is being collected or paused."""
    ended = Status("ftp", START, START, Result(), None, START + timedelta(minutes=5))
    running = Status("ftp", START, None, Result(), None, None)
    now = START + timedelta(minutes=4)
    assert is_due({}, "ftp", now, None, False)
    assert not is_due({"ftp": ended}, "ftp", now, None, False)
    assert is_due({"ftp": ended}, "ftp", now + timedelta(minutes=1), None, False)
    assert is_due({"ftp": running}, "ftp", now, None, False)
    assert is_due({"ftp": ended}, "ftp", now, now, False)
    assert not is_due({"ftp": ended}, "ftp", now, START, False)
    assert not is_due({}, "ftp", now, None, True)
    assert is_due({}, "ftp", now, now, True)
    with opened(home, clock) as firm:
        firm.settings.set("service.scale", "yes")
        assert due(firm, ["ftp", "ftp:b:21", "mail"]) == ["ftp", "ftp:b:21"]
        with collecting(firm, "ftp"):
            assert due(firm, ["ftp", "ftp:b:21", "mail"]) == ["ftp:b:21"]
        firm.settings.set("service.paused", "yes")
        assert due(firm, ["ftp"]) == []
        rounds.ask_at_once(firm)
        assert due(firm, ["ftp"]) == ["ftp"]


def test_shared_rounds_need_a_database_server(tmp_path: Path) -> None:
    """On the embedded database a worker says so and ends."""
    firm = FirmSide(tmp_path / "small")
    firm.add_dossier("000204", "Boulangerie Dupont")
    firm.set(service__scale="yes")
    told = navette(firm.home, "worker", check=False)
    assert (told.returncode, "[scale.needs_postgresql]" in told.stderr) == (2, True)
