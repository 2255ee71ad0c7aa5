"""The uploader with vsftpd, ProFTPD and Pure-FTPd, plain and with TLS; never with a server of our own."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from client_side import ClientSide
from peers import DOSSIER, Peer
from sample_documents import pdf, sample_set, small_documents

from transfer.safe_names import safe_name, twin_key

pytestmark = pytest.mark.peer


def test_all_files_are_sent_and_removed_against_receipts(server: Peer, tmp_path: Path) -> None:
    """Each file is on the server with its bytes under a safe name, and gone from the client's folder."""
    client = ClientSide(tmp_path / "client")
    client.give_ini(server.connection, f"/{DOSSIER}")
    sent = {path.name: path.read_bytes() for path in sample_set(client.folder)}
    told = client.upload()
    assert told.code == 0, told.events
    assert client.left() == []
    stored = {path.name: path.read_bytes() for path in (server.root / DOSSIER).iterdir()}
    assert sorted(stored.values()) == sorted(sent.values())
    receipts = {str(event["file"]): event for event in told.of("sent")}
    assert receipts.keys() == sent.keys()
    for name, event in receipts.items():
        assert stored[Path(str(event["stored_as"])).name] == sent[name]
        assert event["proof"] in {"hash", "size"}
    assert {twin_key(safe_name(name)) for name in sent} <= {twin_key(name) for name in stored}


def test_a_file_that_is_there_already_is_never_replaced(server: Peer, tmp_path: Path) -> None:
    """A name that another file has on the server gets a counter, and both files stay."""
    there = server.root / DOSSIER / "scan.pdf"
    there.write_bytes(pdf("yesterday"))
    client = ClientSide(tmp_path / "client")
    client.give_ini(server.connection, f"/{DOSSIER}")
    (client.folder / "scan.pdf").write_bytes(pdf("today"))
    assert client.upload().code == 0
    assert {path.name: path.read_bytes() for path in there.parent.iterdir()} == {
        "scan.pdf": pdf("yesterday"),
        "scan(2).pdf": pdf("today"),
    }


def test_a_refused_login_sends_and_removes_nothing(server: Peer, tmp_path: Path) -> None:
    """With a login the server refuses the uploader ends with 4, and all files stay where they are."""
    client = ClientSide(tmp_path / "client")
    client.give_ini(replace(server.connection, user="nobody-here"), f"/{DOSSIER}")
    (client.folder / "scan.pdf").write_bytes(pdf("today"))
    assert client.upload().code == 4
    assert client.left() == ["scan.pdf"]
    assert list((server.root / DOSSIER).iterdir()) == []


def test_a_refused_folder_is_a_failure_of_each_file(server: Peer, tmp_path: Path) -> None:
    """Where the server takes nothing in the folder, each file is reported as failed with its reason and stays."""
    closed = server.root / "closed"
    closed.mkdir(mode=0o755)
    client = ClientSide(tmp_path / "client")
    client.give_ini(server.connection, "/closed")
    for n in range(3):
        (client.folder / f"{n}.pdf").write_bytes(pdf(str(n)))
    told = client.upload()
    assert told.code == 1
    assert len(told.of("failed")) == 3
    assert {event["code"] for event in told.of("failed")} == {"session.refused"}
    assert client.left() == ["0.pdf", "1.pdf", "2.pdf"]
    assert list(closed.iterdir()) == []


@pytest.mark.crash
@pytest.mark.parametrize("step", ["upload.sent", "upload.confirmed", "upload.recorded", "upload.removed"])
def test_an_uploader_killed_at_any_step_neither_loses_nor_doubles(
    plain_server: Peer, tmp_path: Path, step: str
) -> None:
    """After a kill at each step, and once more in the middle, the next upload leaves each file once on the server."""
    client = ClientSide(tmp_path / "client")
    client.give_ini(plain_server.connection, f"/{DOSSIER}")
    sent = sorted(path.read_bytes() for path in small_documents(client.folder, 12))
    for nth in (1, 4):
        assert client.upload(f"{step}:{nth}").code == -signal.SIGKILL
    assert client.upload().code == 0
    assert client.left() == []
    assert sorted(path.read_bytes() for path in (plain_server.root / DOSSIER).iterdir()) == sent
