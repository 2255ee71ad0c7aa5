"""A round that collects from vsftpd, ProFTPD and Pure-FTPd, plain and with TLS; never from a server of our own."""

import signal
from pathlib import Path

import pytest
from firm_side import FirmSide, fingerprints
from peers import DOSSIER, Peer
from processes import end
from sample_documents import pdf, sample_set, small_documents

pytestmark = pytest.mark.peer


@pytest.fixture
def firm(tmp_path: Path) -> FirmSide:
    """A firm with one dossier that takes its two looks at a file without a pause between them."""
    side = FirmSide(tmp_path / "firm")
    side.home.mkdir()
    side.add_dossier(DOSSIER, "Boulangerie Dupont")
    side.set(fetch__settle_seconds="0")
    return side


def test_all_documents_are_delivered_and_then_removed_on_the_server(server: Peer, firm: FirmSide) -> None:
    """Files of each kind and name reach the dossier with their bytes, and only then leave the server."""
    firm.collect_from(server.connection)
    sent = fingerprints(sample_set(server.root / DOSSIER))
    firm.fetch()
    assert firm.received() == sent
    assert list((server.root / DOSSIER).iterdir()) == []


def test_a_file_that_is_not_whole_stays_on_the_server(server: Peer, firm: FirmSide) -> None:
    """Half a PDF and a file under a name for unfinished ones are not delivered and not removed; the others are."""
    firm.collect_from(server.connection)
    folder = server.root / DOSSIER
    whole = pdf("whole", padding=50_000)
    for name, content in {"whole.pdf": whole, "half.pdf": whole[:30_000], "scan.pdf.part": whole}.items():
        (folder / name).write_bytes(content)
    firm.fetch(check=False)
    assert firm.documents(DOSSIER) == {"whole.pdf": whole}
    assert sorted(path.name for path in folder.iterdir()) == ["half.pdf", "scan.pdf.part"]


def test_a_file_of_no_known_dossier_waits(server: Peer, firm: FirmSide) -> None:
    """A file in a folder of no known dossier is delivered to the waiting folder and removed on the server."""
    firm.collect_from(server.connection)
    folder = server.root / "unknown"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "scan.pdf").write_bytes(pdf("unknown"))
    firm.fetch()
    assert list(firm.waiting_documents().values()) == [pdf("unknown")]
    assert firm.documents(DOSSIER) == {}
    assert list(folder.iterdir()) == []


def test_what_the_server_will_not_remove_is_delivered_once(server: Peer, firm: FirmSide) -> None:
    """Where the server refuses to remove a collected file, further rounds do not deliver it again."""
    firm.collect_from(server.connection)
    folder = server.root / DOSSIER
    (folder / "scan.pdf").write_bytes(pdf("sticky"))
    folder.chmod(0o555)
    for _ in range(3):
        firm.fetch(check=False)
    assert firm.documents(DOSSIER) == {"scan.pdf": pdf("sticky")}
    folder.chmod(0o755)


@pytest.mark.crash
@pytest.mark.parametrize("step", ["downloaded", "placing", "linked", "stored", "unlinked", "removed"])
def test_a_round_killed_at_any_step_neither_loses_nor_doubles(
    plain_server: Peer, firm: FirmSide, tmp_path: Path, step: str
) -> None:
    """After a kill at each step the next rounds leave each file once in the dossier and none on the server."""
    firm.collect_from(plain_server.connection)
    sent = fingerprints(small_documents(plain_server.root / DOSSIER, 12))
    process = firm.start_fetching(tmp_path / "fetch.log", f"fetch.{step}")
    try:
        assert process.wait(60) == -signal.SIGKILL
    finally:
        end(process, signal.SIGKILL)
    firm.fetch()
    assert firm.received() == sent
    assert list((plain_server.root / DOSSIER).iterdir()) == []
