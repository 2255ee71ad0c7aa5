"""Delivery into a folder: complete when it appears, never over another, and one bad folder keeps nothing else back."""

import errno
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from firm_rooms import Clock, SmallDisk, codes, contents, desk, dies_at, folder, writing

from dossiers import dossier as dossiers
from dossiers import journal
from dossiers.disk import Disk, Part
from dossiers.document import State
from dossiers.dossier import Dossier
from dossiers.firm import Firm
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.fingerprints import Fingerprint
from transfer.receipts import Proof

AWKWARD = [
    ("facturée.pdf", b"1"),
    ("ticket 🧾 déjeuner.jpg", b"2"),
    ("Scan.pdf", b"3"),
    ("SCAN.PDF", b"4"),
    ("scan.pdf", b"5"),
    ("straße.pdf", b"6"),
    ("STRASSE.pdf", b"7"),
    ("empty.pdf", b""),
    ("é" * 85 + ".pdf", b"8"),
    ("É" * 85 + ".pdf", b"9"),
]


def test_each_document_appears_under_a_name_of_its_own(firm: Firm) -> None:
    """Accents, emoji, no bytes, long names: all are stored, and twins of Windows and macOS get a counter."""
    with desk(firm) as at:
        outcome = at.deliver(*AWKWARD)
    assert outcome.failed == []
    stored = contents(folder(firm))
    assert sorted(stored.values()) == sorted(content for _, content in AWKWARD)
    assert len({name.casefold() for name in stored}) == len(AWKWARD)
    assert {"facturée.pdf", "ticket 🧾 déjeuner.jpg", "Scan.pdf", "SCAN(2).PDF", "scan(3).pdf"} <= set(stored)


def test_a_stored_document_has_a_receipt_for_its_source(firm: Firm) -> None:
    """The receipt names the source, the place, the size and the hash, and rests on what the source told."""
    with desk(firm) as at:
        ((document, receipt),) = at.deliver(("scan.pdf", b"abc")).stored
    assert (receipt.source, receipt.stored_as) == ("/000204/0/scan.pdf", str(folder(firm) / "scan.pdf"))
    assert (receipt.size, receipt.proof) == (3, Proof.SIZE)
    assert receipt.sha256 == document.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_second_document_of_the_same_name_gets_a_counter(firm: Firm) -> None:
    """Scanners repeat their names: nothing that lies in the folder is ever replaced, whoever put it there."""
    folder(firm).mkdir(parents=True)
    (folder(firm) / "SCAN.pdf").write_bytes(b"put there by hand")
    with desk(firm) as at:
        for content in (b"first", b"second"):
            assert at.deliver(("scan.pdf", content)).failed == []
    assert contents(folder(firm)) == {
        "SCAN.pdf": b"put there by hand",
        "scan(2).pdf": b"first",
        "scan(3).pdf": b"second",
    }


class TakingDisk(Disk):
    """A disk on which another program takes each chosen name at the last moment, a few times."""

    def __init__(self, times: int) -> None:
        self._left = times

    def link(self, part: Path, final: Path) -> None:
        """Let the other program be first."""
        if self._left:
            self._left -= 1
            final.write_bytes(b"of another program")
        super().link(part, final)


def test_a_name_that_is_taken_at_the_last_moment_stays_with_its_owner(firm: Firm) -> None:
    """When another program makes a file of the chosen name just before the link, the next name is chosen."""
    with desk(firm, TakingDisk(times=3)) as at:
        ((document, _),) = at.deliver(("scan.pdf", b"ours")).stored
    assert document.final.name == "scan(4).pdf"
    found = contents(folder(firm))
    assert found.pop("scan(4).pdf") == b"ours"
    assert set(found.values()) == {b"of another program"}


class NoLinks(Disk):
    """A volume without links, such as a FAT stick or some network drives."""

    @staticmethod
    def refuse(*_: object) -> None:
        """Refuse as the kernel does there."""
        raise OSError(errno.EPERM, "no links here")


def test_a_volume_without_links_gets_documents_by_exclusive_renames(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where links are refused, renaming without replacing does the same, and no part is left."""
    monkeypatch.setattr(os, "link", NoLinks.refuse)
    with desk(firm) as at:
        for content in (b"first", b"second"):
            assert at.deliver(("scan.pdf", content)).failed == []
        part = Disk().create(folder(firm) / ".navette-test", firm.root)
        part.close()
        with pytest.raises(FileExistsError):
            Disk().link(part.path, folder(firm) / "scan.pdf")
        part.path.unlink()
    assert contents(folder(firm)) == {"scan.pdf": b"first", "scan(2).pdf": b"second"}


def test_a_document_whose_bytes_differ_from_what_the_source_tells_is_refused(firm: Firm) -> None:
    """Fewer bytes or another hash than told: nothing is placed, no part is left, and the document stays discovered."""
    with desk(firm) as at:
        arrival = at.arrival("scan.pdf", b"abcd", "000204")
        (document,) = at.delivery.discover([arrival], {})
        with pytest.raises(PermanentFailure, match=r"receipt\.size_differs"):
            at.delivery.receive(document, arrival, writing(b"abc"))
        assert [one.state for one in at.open()] == [State.DISCOVERED]
    assert contents(folder(firm)) == {}


def test_many_documents_are_synced_by_volume(firm: Firm) -> None:
    """A batch of fifty over two dossiers is stored like a single document, without a part left."""
    with desk(firm) as at:
        one = at.receive(*[(f"a{n}.pdf", b"a%d" % n) for n in range(30)])
        other = at.receive(*[(f"b{n}.pdf", b"b%d" % n) for n in range(20)], number="000205")
        outcome = at.delivery.store(one + other)
        at.delivery.removed([document for document, _ in outcome.stored])
        assert at.open() == []
    assert contents(folder(firm)) == {f"a{n}.pdf": b"a%d" % n for n in range(30)}
    assert contents(folder(firm, "000205")) == {f"b{n}.pdf": b"b%d" % n for n in range(20)}


def test_threads_that_deliver_into_one_folder_never_take_the_same_name(firm: Firm) -> None:
    """Four threads with documents of twin names end up with one file for each."""
    with desk(firm) as at:

        def deliver(thread: int) -> None:
            for n in range(10):
                name = "Scan.pdf" if (thread + n) % 2 else "scan.pdf"
                assert at.deliver((name, b"%d %d" % (thread, n))).failed == []

        threads = [threading.Thread(target=deliver, args=[n]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = contents(folder(firm))
    assert sorted(found.values()) == sorted(b"%d %d" % (thread, n) for thread in range(4) for n in range(10))
    assert len({name.casefold() for name in found}) == 40


def test_the_journal_tells_each_step_in_order(firm: Firm, clock: Clock) -> None:
    """Discovered, placing, stored, removed: with machine, epoch, moment and, once known, the hash."""
    with desk(firm) as at:
        ((document, _),) = at.deliver(("scan.pdf", b"abc")).stored
        clock.turn(minutes=1)
        at.delivery.removed([document])
    lines = journal.of_document(firm, document.id)
    assert [line.step.value for line in lines] == ["discovered", "placing", "stored", "removed"]
    assert {(line.machine, line.epoch, line.dossier) for line in lines} == {("PC-1", 1, "000204")}
    assert [line.sha256 for line in lines] == [None, *[document.sha256] * 3]
    assert lines[-1].at == clock.now
    assert journal.of_dossier(firm, "000204") == journal.latest(firm) == lines
    assert journal.latest(firm, 2) == lines[2:]


def test_a_failure_is_recorded_and_tried_again_ever_later(firm: Firm, clock: Clock) -> None:
    """Each failure is a row of the journal with its code; the pauses grow to a day."""
    pauses = []
    with desk(firm) as at:
        at.delivery.discover([at.arrival("scan.pdf", b"abc", "000204")], {})
        for _ in range(8):
            at.delivery.failed([(at.open()[0], TemporaryFailure("fetch.torn", file="scan.pdf"))])
            (document,) = at.open()
            assert document.next_try is not None
            pauses.append((document.next_try - clock.now).total_seconds() / 60)
    assert pauses == [5, 15, 45, 135, 405, 1215, 1440, 1440]
    assert (document.failure, document.attempts) == ("fetch.torn", 8)
    assert [line.reason for line in journal.of_document(firm, document.id)] == [None, *["fetch.torn"] * 8]


def test_a_folder_that_is_away_keeps_no_other_dossier_back(firm: Firm, tmp_path: Path) -> None:
    """A dossier on a drive that is not there fails by itself, and the drive's folder is not made on the local disk."""
    away = tmp_path / "drive" / "compta"
    dossiers.add(firm, Dossier("000300", "Away", "fr", str(away / "{year}")))
    with desk(firm) as at:
        arrival = at.arrival("scan.pdf", b"abc", "000300")
        (document,) = at.delivery.discover([arrival], {})
        with pytest.raises(TemporaryFailure, match=r"delivery\.folder_unreachable"):
            at.delivery.receive(document, arrival, writing(b"abc"))
        assert at.deliver(("scan.pdf", b"abc")).failed == []
    assert not away.parent.exists()


def test_a_folder_that_is_away_for_long_is_told_once(firm: Firm, clock: Clock) -> None:
    """Every round tries to place what is half-way; the journal says once that its folder is away."""
    with desk(firm, SickFolder(folder(firm), "link")) as at:
        at.delivery.failed(at.deliver(("scan.pdf", b"sick")).failed)
        for _ in range(12):
            clock.turn(minutes=5)
            at.delivery.resume(at.open())
        (document,) = at.open()
        (pause,) = at.delivery.pauses.end("ftp")
    assert (pause.dossier, pause.cause, pause.documents) == ("000204", "EIO", 1)
    told = [line.step.value for line in journal.of_document(firm, document.id)]
    assert told == ["discovered", "placing", "failed"]
    assert (document.failure, document.attempts, document.next_try) == ("delivery.folder_unreachable", 0, None)
    with desk(firm) as at:
        at.delivery.resume(at.open())
    assert contents(folder(firm)) == {"scan.pdf": b"sick"}


class SickFolder(Disk):
    """A disk on which one folder fails at one operation."""

    def __init__(self, sick: Path, operation: str) -> None:
        self._sick = sick
        self._operation = operation

    def _fail(self, place: Path, operation: str) -> None:
        if operation == self._operation and place == self._sick:
            raise TemporaryFailure("delivery.folder_unreachable", folder=str(place), cause="EIO")

    def taken(self, folder: Path) -> set[str]:
        """Fail at choosing a name."""
        self._fail(folder, "choose")
        return super().taken(folder)

    def link(self, part: Path, final: Path) -> None:
        """Fail at the link."""
        self._fail(final.parent, "link")
        super().link(part, final)

    def discard(self, part: Path) -> None:
        """Fail at letting the part's name go."""
        self._fail(part.parent, "discard")
        super().discard(part)

    def sync_folder(self, folder: Path) -> None:
        """Fail at the folder's sync."""
        self._fail(folder, "sync")
        super().sync_folder(folder)


@pytest.mark.parametrize("operation", ["choose", "link", "sync", "discard"])
def test_a_folder_that_fails_half_way_is_caught_up_later(firm: Firm, operation: str) -> None:
    """Whichever step one folder refuses, the other dossier's document is stored; the next round does the rest, once."""
    with desk(firm, SickFolder(folder(firm), operation)) as at:
        received = at.receive(("scan.pdf", b"sick")) + at.receive(("scan.pdf", b"well"), number="000205")
        outcome = at.delivery.store(received)
        assert codes(outcome) == ["delivery.folder_unreachable"]
        assert [document.dossier for document, _ in outcome.stored] == ["000205"]
        assert contents(folder(firm, "000205")) == {"scan.pdf": b"well"}
    with desk(firm) as at:
        at.delivery.resume(at.open())
        left = next(document for document in at.open() if document.dossier == "000204")
        if operation == "choose":  # nothing was promised yet: the source still has it
            assert (left.state, contents(folder(firm))) == (State.DISCOVERED, {})
        else:
            assert (left.state, contents(folder(firm))) == (State.STORED, {"scan.pdf": b"sick"})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Disk]]:
    """A volume of 256 KiB: a real one where this user may mount it, else a disk that counts."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield place, Disk() if mounted else SmallDisk()
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("real", [True, False])
def test_a_full_disk_loses_nothing(firm: Firm, small_disk: tuple[Path, Disk], real: bool) -> None:
    """A document that does not fit leaves no part behind, and what fits is stored before and after."""
    if real:
        firm.settings.set("dossiers.root", str(small_disk[0]))
    with desk(firm, small_disk[1] if real else SmallDisk()) as at:
        assert at.deliver(("before.pdf", b"b" * 1000)).failed == []
        arrival = at.arrival("big.pdf", b"x" * 300_000, "000204")
        (document,) = at.delivery.discover([arrival], {})
        with pytest.raises(TemporaryFailure, match=r"delivery\.disk_full"):
            at.delivery.receive(document, arrival, writing(b"x" * 300_000))
        assert at.deliver(("after.pdf", b"a" * 1000)).failed == []
    assert contents(folder(firm)) == {"before.pdf": b"b" * 1000, "after.pdf": b"a" * 1000}


class FullAtSync(Disk):
    """A disk that finds only at the sync that there is no room."""

    def sync(self, parts: Sequence[Part]) -> dict[Path, Failure]:
        """Refuse the last part."""
        failed = super().sync(parts[:-1])
        self.drop(parts[-1])
        return failed | {parts[-1].path: TemporaryFailure("delivery.disk_full", folder="the test's")}


def test_a_disk_that_is_full_at_the_sync_keeps_only_what_is_safe(firm: Firm) -> None:
    """A document whose bytes could not be synced is not placed; the others of its batch are."""
    with desk(firm, FullAtSync()) as at:
        outcome = at.deliver(("one.pdf", b"1"), ("two.pdf", b"2"))
        assert codes(outcome) == ["delivery.disk_full"]
        assert [document.state for document in at.open()] == [State.STORED, State.DISCOVERED]
    assert contents(folder(firm)) == {"one.pdf": b"1"}


def test_an_older_part_is_made_anew_and_never_written_over(firm: Firm) -> None:
    """A part left behind may be the same file as one that was placed: it is unlinked, not emptied."""
    with desk(firm) as at:
        arrival = at.arrival("scan.pdf", b"new", "000204")
        (document,) = at.delivery.discover([arrival], {})
        folder(firm).mkdir(parents=True)
        (folder(firm) / "placed.pdf").write_bytes(b"placed long ago")
        os.link(folder(firm) / "placed.pdf", document.part)
        at.delivery.store([at.delivery.receive(document, arrival, writing(b"new"))])
    assert contents(folder(firm)) == {"placed.pdf": b"placed long ago", "scan.pdf": b"new"}


def test_a_receipt_is_made_only_of_what_is_stored(firm: Firm) -> None:
    """Nobody gets a receipt, and with it the right to remove, for a document that is only discovered."""
    with desk(firm) as at:
        (document,) = at.delivery.discover([at.arrival("scan.pdf", b"abc", "000204")], {})
        with pytest.raises(ValueError, match="only a stored document"):
            at.delivery.receipt(document, Fingerprint(3, "0" * 64))


def test_a_source_that_holds_other_bytes_now_gets_no_receipt(firm: Firm) -> None:
    """After a restart a receipt is made only if the source still holds the very bytes that were stored."""
    with desk(firm) as at:
        at.deliver(("scan.pdf", b"abc"))
        (document,) = at.open()
        assert at.delivery.receipt(document, document.fingerprint).proof is Proof.HASH
        with pytest.raises(PermanentFailure, match=r"receipt\.hash_differs"):
            at.delivery.receipt(document, Fingerprint(3, "0" * 64))


def test_dying_is_seen_by_the_tests(firm: Firm) -> None:
    """The steps that the crash tests die at are really reached, in this order."""
    reached: list[str] = []
    with desk(firm, reached=reached.append) as at:
        outcome = at.deliver(("one.pdf", b"1"))
        at.delivery.removed([document for document, _ in outcome.stored])
    assert reached == ["discovered", "downloaded", "placing", "linked", "stored", "unlinked", "removed"]
    with pytest.raises(BaseException), desk(firm, reached=dies_at("linked")) as at:  # noqa: B017, PT011
        at.deliver(("two.pdf", b"2"))
