"""Where a round's documents go: folders that are away, archived and renamed dossiers, kinds; nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from collecting import Collecting
from firm_rooms import DiedError, contents, dies_at, folder
from plain_server import PlainServer
from sample_documents import pdf

from dossiers import dossier as dossiers
from dossiers import journal, pauses, waiting_list
from dossiers.disk import Disk, Part
from dossiers.dossier import Dossier
from dossiers.pauses import Pause
from dossiers.rounds import Result
from transfer.failures import PermanentFailure, TemporaryFailure

PDF = pdf("a page")


def page(which: object) -> bytes:
    """Return a PDF that no other is the same as."""
    return pdf(f"page {which}")


def test_a_dossier_whose_folder_is_away_pauses_and_keeps_no_other_back(
    collecting: Collecting, server: PlainServer, tmp_path: Path
) -> None:
    """Nothing of it is fetched, the pause is told with its beginning, and all is delivered once the drive is back."""
    away = tmp_path / "drive"
    firm, clock = collecting.firm, collecting.clock
    dossiers.add(firm, Dossier("000300", "Away", "fr", str(away)))
    server.put("000204/a.pdf", PDF)
    for n in range(3):
        server.put(f"000300/{n}.pdf", page(n))
    assert collecting.round() == Result(delivered=1, paused=3)
    began = clock.now
    for _ in range(2):
        clock.turn(minutes=5)
        assert collecting.round() == Result(paused=3)
    assert pauses.every(firm, "ftp") == [Pause("000300", str(away), "ENOENT", began, 3)]
    assert sorted(server.files()) == ["000300/0.pdf", "000300/1.pdf", "000300/2.pdf"]
    assert [path for verb, path in server.heard if verb == "RETR"] == ["/000204/a.pdf"]
    assert not away.exists()
    away.mkdir()
    assert collecting.round() == Result(delivered=3), "no pause has grown"
    assert contents(away) == {f"{n}.pdf": page(n) for n in range(3)}
    assert pauses.every(firm, "ftp") == []


def test_a_folder_that_goes_away_in_the_round_pauses_from_then_on(collecting: Collecting, server: PlainServer) -> None:
    """The first document that cannot be written pauses its dossier: the others are not fetched, none is lost."""

    class Away(Disk):
        def create(self, part: Path, anchor: Path, beat: Callable[[], None] = lambda: None) -> Part:
            if part.parent == folder(collecting.firm):
                raise TemporaryFailure("delivery.folder_unreachable", folder=str(part.parent), cause="EROFS")
            return super().create(part, anchor, beat)

    collecting.firm.settings.set("fetch.connections", "1")
    for n in range(5):
        server.put(f"000204/{n}.pdf", page(n))
    server.put("000205/a.pdf", PDF)
    collecting.disk = Away()
    for _ in range(3):
        others = len(server.files()) - 5
        assert collecting.round() == Result(delivered=others, paused=5)
    assert [path for verb, path in server.heard if verb == "RETR"] == ["/000205/a.pdf"]
    (pause,) = pauses.every(collecting.firm, "ftp")
    assert (pause.dossier, pause.cause, pause.documents) == ("000204", "EROFS", 5)
    collecting.disk = None
    assert collecting.round() == Result(delivered=5)
    assert contents(folder(collecting.firm)) == {f"{n}.pdf": page(n) for n in range(5)}
    for document in range(1, 7):
        told = [line.step.value for line in journal.of_document(collecting.firm, document)]
        assert told.count("failed") <= 1, "a pause is told once, not each round"


def test_a_round_that_did_not_get_that_far_ends_no_pause(
    collecting: Collecting, server: PlainServer, tmp_path: Path
) -> None:
    """While the server is away, nobody can know whether what was paused still is."""
    dossiers.add(collecting.firm, Dossier("000300", "Away", "fr", str(tmp_path / "drive")))
    server.put("000300/a.pdf", PDF)
    collecting.round()
    collecting.firm.settings.set("ftp.port", "1")
    with pytest.raises(TemporaryFailure, match=r"session\.unreachable"):
        collecting.round()
    assert [pause.dossier for pause in pauses.every(collecting.firm, "ftp")] == ["000300"]


def test_what_is_deposited_for_an_archived_dossier_waits_with_its_reason(
    collecting: Collecting, server: PlainServer
) -> None:
    """Nothing goes into an archived dossier, and nothing deposited for it is lost or left on the server."""
    dossiers.archive(collecting.firm, "000204")
    server.put("000204/Achats/a.pdf", PDF)
    assert collecting.round() == Result(waiting=1)
    assert server.files() == {}
    (waiting,) = waiting_list.waiting(collecting.firm)
    assert (waiting.reason, waiting.final.read_bytes()) == ("waiting.archived_dossier", PDF)
    with pytest.raises(PermanentFailure, match=r"dossier\.archived"):
        waiting_list.assign(collecting.firm, waiting.id, "000204")
    dossiers.reopen(collecting.firm, "000204")
    assert waiting_list.assign(collecting.firm, waiting.id, "000204").final.parent == folder(collecting.firm)


def test_a_folder_within_the_dossier_is_the_kind_of_its_documents(collecting: Collecting, server: PlainServer) -> None:
    """Where a dossier's folder names {kind}, documents lie sorted as they were deposited; others one level higher."""
    template = "{root}/{dossier}/{year}/{month}/{kind}"
    dossiers.change(collecting.firm, "000204", template=template)
    server.put("000204/Achats/a.pdf", page(1))
    server.put("000204/Ventes/2026/b.pdf", page(2))
    server.put("000204/c.pdf", page(3))
    server.put("000999/Achats/d.pdf", page(4))
    assert collecting.round() == Result(delivered=3, waiting=1)
    at = collecting.firm.root / "000204 Client 000204" / "2026" / "11"
    found = {path.relative_to(at).as_posix(): path.read_bytes() for path in at.rglob("*.pdf")}
    assert found == {"Achats/a.pdf": page(1), "Ventes/b.pdf": page(2), "c.pdf": page(3)}
    (waiting,) = waiting_list.waiting(collecting.firm)
    assert waiting_list.assign(collecting.firm, waiting.id, "000204").final == at / "Achats" / "d.pdf"


def test_a_dossier_that_is_renamed_keeps_its_documents_where_they_are(
    collecting: Collecting, server: PlainServer
) -> None:
    """Documents filed before and after go to one folder, also those that were half-way when the name changed."""
    firm = collecting.firm
    before = folder(firm)
    server.put("000204/a.pdf", page(1))
    with pytest.raises(DiedError):
        collecting.round(reached=dies_at("fetch.linked"))
    dossiers.change(firm, "000204", name="Another name & Sons")
    server.put("000204/b.pdf", page(2))
    collecting.round()
    assert contents(before) == {"a.pdf": page(1), "b.pdf": page(2)}
    assert server.files() == {}
    assert (dossiers.find(firm, "000204").name, folder(firm)) == ("Another name & Sons", before)
