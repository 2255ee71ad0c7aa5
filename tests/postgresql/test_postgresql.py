"""The firm on PostgreSQL: the same code and the same outcome, also when the server goes away and when runners fight."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from earlier_versions import REVISIONS, check_upgrade
from firm_rooms import Clock, add_dossiers, contents, desk, folder, opened
from firm_side import FirmSide
from navette_server import NAVETTE, ROOT, navette
from plain_server import plain_server
from postgresql import PostgreSQL
from processes import end, started
from sample_documents import pdf
from sqlalchemy import func, insert, select
from waiting import until

from dossiers import backup, database, journal, tables, waiting_list
from dossiers import dossier as dossiers
from dossiers.database import Database
from dossiers.designation import telling
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from dossiers.tables import lease
from transfer.failures import Failure, TemporaryFailure
from transfer.safe_names import twin_key


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_earlier_version_with_data_is_brought_up_to_date(url: str, revision: str) -> None:
    """All rows and values of each earlier version are there afterwards, and the tables are those of the code."""
    check_upgrade(url, revision)


def test_a_change_that_is_left_in_the_middle_is_ended(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is frozen inside a change loses it with its locks, and is told so; one that reads long is not."""
    monkeypatch.setattr(database, "ABANDONED", 0.5)
    frozen, other = Database(url), Database(url)

    def change_and_freeze() -> None:
        with frozen.write("turn") as change:
            change.execute(insert(tables.settings).values(name="ftp.host", value="frozen"))
            with other.write("turn") as next_one:  # waits for the turn until the other one is ended
                next_one.execute(insert(tables.settings).values(name="ftp.host", value="other"))
            change.execute(select(tables.settings))

    try:
        with frozen.snapshot() as reading:
            assert reading.execute(select(tables.settings)).all() == []
            with pytest.raises(TemporaryFailure, match=r"database\.unavailable"):
                change_and_freeze()
            assert reading.execute(select(tables.settings)).all() == []
        with frozen.read() as connection:
            assert connection.execute(select(tables.settings.c.value)).scalars().all() == ["other"]
    finally:
        frozen.close()
        other.close()


def test_a_document_lives_its_whole_life_there(home: Path, clock: Clock) -> None:
    """Delivered, flagged, assigned, taken back, refused: rows and files are those of the embedded database."""
    with opened(home, clock) as firm:
        add_dossiers(firm, "000204", "000205")
        with desk(firm) as at:
            at.deliver(("a.pdf", b"a"), ("b.pdf", b"b"))
            ((waits, _),) = at.deliver(("c.pdf", b"a"), number=None).stored
        waiting_list.assign(firm, waits.id, "000205", by="anna")
        waiting_list.take_back(firm, waits.id, by="bert")
        waiting_list.refuse(firm, waits.id, by="bert")
        steps = [line.step.value for line in journal.of_document(firm, waits.id)]
        assert steps == [
            *("discovered", "placing", "stored", "duplicate"),
            *("assigning", "placing", "assigned", "undoing", "placing", "undone", "refused"),
        ]
        assert journal.document(firm, waits.id).duplicate_of == 1
        assert contents(folder(firm)) == {"a.pdf": b"a", "b.pdf": b"b"}
        assert contents(firm.waiting_folder) == {"c.pdf": b"a"}
    assert "000204" in navette(home, "dossier", "list").stdout


def test_a_firm_grows_from_the_embedded_database_to_a_server(tmp_path: Path, home: Path, clock: Clock) -> None:
    """A backup of the one is restored into the other, with every row, and new rows are numbered after them."""
    with opened(tmp_path / "small", clock) as small:
        add_dossiers(small, "000204", "000205")
        with desk(small) as at:
            at.deliver(*[(f"{n}.pdf", b"%d" % n) for n in range(30)])
        backup.backup(small, tmp_path / "small.db")
        lines = journal.latest(small, 1000)
    with opened(home, clock) as firm:
        backup.restore(firm, tmp_path / "small.db")
        assert journal.latest(firm, 1000) == lines
        with desk(firm) as at:
            ((document, _),) = at.deliver(("new.pdf", b"new")).stored
        assert document.id == 31
        assert (backup.check(firm).dialect, backup.check(firm).documents) == ("postgresql", 31)


def test_a_server_that_goes_away_and_comes_back_is_a_pause(server: PostgreSQL, home: Path, clock: Clock) -> None:
    """While it is away everything is refused with a code, also by commands; afterwards it goes on where it was."""
    with opened(home, clock) as firm:
        add_dossiers(firm, "000204")
        with desk(firm) as at:
            received = at.receive(("a.pdf", b"a"))
            server.stop("immediate")
            with pytest.raises(TemporaryFailure, match=r"database\.unavailable"):
                at.delivery.store(received)
            told = navette(home, "dossier", "list", check=False)
            assert (told.returncode, "[database.unavailable]" in told.stderr) == (2, True)
            server.start()
            at.delivery.resume(at.open())
            assert [name for name, _ in at.deliver(("a.pdf", b"a")).failed] == []
        assert contents(folder(firm)) == {"a.pdf": b"a"}
        assert [one.number for one in dossiers.every(firm)] == ["000204"]


def test_the_service_outlives_a_database_that_goes_away_and_comes_back(
    server: PostgreSQL, home: Path, tmp_path: Path
) -> None:
    """It goes away in the middle of a round and stays away for a while; the same service then delivers all, once."""
    firm = FirmSide(home)
    firm.add_dossier("000204", "Boulangerie Dupont")
    log = tmp_path / "service.log"
    with plain_server(tmp_path / "source") as source:
        firm.collect_from(source.connection, fetch__settle_seconds="0")
        sent = sorted(pdf(str(n)) for n in range(300))
        for n, content in enumerate(sent):
            source.put(f"000204/{n}.pdf", content)
        service = started([*NAVETTE, "--home", home, "service", "run"], log, cwd=ROOT)
        try:
            until(lambda: len(os.listdir(source.root / "000204")) < 300, 30, "documents to be fetched")
            server.stop("immediate")
            until(lambda: "database.unavailable" in log.read_text(), 30, "the service to notice")
            server.start()
            firm.set(service__minutes="1")
            navette(home, "service", "now")
            until(lambda: not os.listdir(source.root / "000204"), 60, "all to be delivered")
        finally:
            code = end(service)
    assert code == 0
    assert sorted(firm.documents("000204").values()) == sent
    assert "Traceback" not in log.read_text()


def at_once(firms: Sequence[Firm], action: Callable[[Firm], object]) -> list[object]:
    """Let each firm do something at the same moment; return what came of it, a failure's code for one."""
    ready = threading.Barrier(len(firms))

    def run(firm: Firm) -> object:
        ready.wait(30)
        try:
            return action(firm)
        except Failure as failure:
            return failure.code

    with ThreadPoolExecutor(len(firms)) as pool:
        return list(pool.map(run, firms))


@pytest.fixture
def firms(home: Path, clock: Clock) -> Iterator[list[Firm]]:
    """Four programs of one firm, each with connections of its own."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(opened(home, clock)) for _ in range(4)]


def test_two_dossiers_added_at_once_never_claim_one_folder(firms: list[Firm]) -> None:
    """Of several dossiers with the same folder that are added at the same moment, one gets it, whoever adds."""
    for n in range(10):
        numbers = iter(f"00{n}{each}00" for each in range(4))

        def add(firm: Firm, n: int = n, numbers: Iterator[str] = numbers) -> object:
            dossiers.add(firm, Dossier(next(numbers), f"Client {n}", "fr", "{root}/{name}"))
            return None

        told = at_once(firms, add)
        assert sorted(map(str, told)) == ["None", *["dossier.folder_taken"] * 3]


def test_a_setting_that_two_set_at_once_has_one_value(firms: list[Firm]) -> None:
    """Nobody is told that the database is away because another was faster."""
    for n in range(10):
        told = at_once(firms, lambda firm, n=n: firm.settings.set("service.minutes", str(n + 1)))
        assert told == [None] * 4
        assert firms[0].settings.number("service.minutes") == n + 1


def test_names_that_a_windows_disk_cannot_tell_apart_are_chosen_apart(firms: list[Firm]) -> None:
    """A round and an assignment that choose names in one folder at the same moment take turns there."""
    add_dossiers(firms[0], "000204")
    waiting = []
    with desk(firms[0]) as at:
        for n in range(8):
            ((document, _),) = at.deliver((f"SCAN {n}.PDF", b"%d" % n), number=None).stored
            waiting.append(document.id)
        for n, document in enumerate(waiting):

            def one(firm: Firm, n: int = n, document: int = document) -> object:
                if firm is firms[0]:
                    return at.deliver((f"scan {n}.pdf", b"scanned %d" % n)).failed
                return waiting_list.assign(firm, document, "000204").id

            assert at_once(firms[:2], one) == [[], document]
    names = contents(folder(firms[0]))
    assert len(names) == 16
    assert len({twin_key(name) for name in names}) == 16


def test_a_lease_that_several_ask_for_at_once_has_one_holder(firms: list[Firm]) -> None:
    """Also the very first time, when no row of it is there yet."""
    asked = threading.Barrier(len(firms))

    def hold(firm: Firm) -> object:
        try:
            with telling(firm) as lease:
                asked.wait(30)
                return lease.epoch
        except Failure:
            asked.wait(30)
            raise

    for epoch in range(1, 6):
        told = at_once(firms, hold)
        assert sorted(map(str, told)) == [str(epoch), *["designation.tells_already"] * 3]


RUNNER = """
import sys, time, pathlib
from sqlalchemy import insert
from dossiers import tables
from dossiers.designation import running_rounds
from dossiers.firm import Firm
from transfer.failures import Failure
name = sys.argv[2]
while True:
    try:
        with Firm(pathlib.Path(sys.argv[1]), machine="PC-1") as firm, running_rounds(firm) as lease:
            print("running", lease.epoch, flush=True)
            while True:
                with firm.database.write() as connection:
                    lease.fence(connection)
                    values = dict(document=1, at=firm.clock(), machine=name, epoch=lease.epoch, step="stored")
                    connection.execute(insert(tables.journal).values(values))
                time.sleep(0.02)
    except Failure as failure:
        print(failure.code, flush=True)
        time.sleep(0.2)
"""


def test_of_three_programs_one_writes_whatever_happens_to_it(home: Path, tmp_path: Path) -> None:
    """The holder is killed, the next frozen and woken late: an epoch has one writer, none writes after a later one."""
    with Firm(home, machine="PC-1") as firm:
        runners = {}
        for name in "abc":
            log = tmp_path / f"{name}.log"
            runners[name] = started([sys.executable, "-c", RUNNER, home, name], log, cwd=ROOT)
        try:
            first = _writer_after(firm, 0)
            end(runners[first], signal.SIGKILL)
            second = _writer_after(firm, _epoch(firm))
            assert second != first
            runners[second].send_signal(signal.SIGSTOP)
            _expire(firm)
            third = _writer_after(firm, _epoch(firm))
            assert third not in {first, second}
            runners[second].send_signal(signal.SIGCONT)
            lost = tmp_path / f"{second}.log"
            until(lambda: "designation.lost" in lost.read_text(), 30, "the frozen one to notice")
        finally:
            for runner in runners.values():
                end(runner, signal.SIGKILL)
        with firm.database.read() as connection:
            journal_rows = tables.journal.c
            rows = connection.execute(select(journal_rows.epoch, journal_rows.machine).order_by(journal_rows.id))
            written = [(row.epoch, row.machine) for row in rows]
    assert [epoch for epoch, _ in written] == sorted(epoch for epoch, _ in written)
    assert len(set(written)) == len({epoch for epoch, _ in written}) >= 3


def _epoch(firm: Firm) -> int:
    with firm.database.read() as connection:
        return connection.execute(select(func.max(lease.c.epoch))).scalar() or 0


def _writer_after(firm: Firm, epoch: int) -> str:
    """Wait until somebody has written under a later epoch, and return who."""
    rows = select(tables.journal.c.machine).where(tables.journal.c.epoch > epoch).limit(1)
    found: list[str] = []

    def look() -> bool:
        with firm.database.read() as connection:
            found[:] = connection.scalars(rows).all()
        return bool(found)

    until(look, 60, "another to run")
    return found[0]


def _expire(firm: Firm) -> None:
    """Let the lease of a frozen holder run out now rather than after 90 seconds."""
    with firm.database.write() as connection:
        connection.execute(lease.update().values(expires=firm.clock()))
