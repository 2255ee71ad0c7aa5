"""Rounds over Navette's own server, which hides what is not whole and tells the hash of what is."""

import io

import pytest
from collecting import Collecting
from firm_rooms import DiedError, contents, dies_at, folder
from navette_server import FIDUCIARY, NavetteServer
from sample_documents import NAMES, pdf

from dossiers import journal
from dossiers.rounds import Result
from transfer.failures import PermanentFailure
from transfer.ftp_session import FtpSession

WRITE, READ = f"WRITE_{FIDUCIARY}", f"READ_{FIDUCIARY}"


@pytest.fixture
def server(navette_server: NavetteServer, collecting: Collecting) -> NavetteServer:
    """The server, from which the firm collects."""
    collecting.collect_from(navette_server.connection(READ))
    return navette_server


def deposit(server: NavetteServer, *files: tuple[str, bytes]) -> None:
    """Deposit files as a client does."""
    with FtpSession(server.connection(WRITE)) as session:
        for path, content in files:
            session.make_folder(path.rpartition("/")[0] or "/")
            session.store(io.BytesIO(content), path)


def left(server: NavetteServer) -> list[str]:
    """Return what the firm still sees on the server."""
    with FtpSession(server.connection(READ)) as session:
        return [file.path for file in session.walk()]


def test_documents_are_collected_without_waiting_and_by_their_hash(
    collecting: Collecting, server: NavetteServer
) -> None:
    """On our own server one look is enough: every name arrives once, with the hash the server told, and leaves it."""
    files = [(f"/000204/{name}", pdf(str(n))) for n, name in enumerate(NAMES)]
    deposit(server, *files, ("/000204/empty.txt", b""), ("/999999/a.pdf", pdf("a")), ("/b.pdf", pdf("b")))
    assert collecting.round() == Result(delivered=len(NAMES) + 1, waiting=2)
    assert sorted(contents(folder(collecting.firm)).values()) == sorted([b"", *[content for _, content in files]])
    assert (left(server), collecting.clock.waited) == ([], [])


def test_a_stored_document_is_removed_after_a_restart_without_fetching_it_again(
    collecting: Collecting, server: NavetteServer
) -> None:
    """The server tells the hash of what it still holds: equal to what is stored, the file only goes."""
    deposit(server, ("/000204/a.pdf", pdf("a")), ("/000204/b.pdf", pdf("b")))
    collecting.firm.settings.set("fetch.connections", "1")
    with pytest.raises(DiedError):
        collecting.round(reached=dies_at("fetch.stored"))
    assert sorted(left(server)) == ["/000204/a.pdf", "/000204/b.pdf"]
    assert collecting.round() == Result()
    assert left(server) == []
    assert contents(folder(collecting.firm)) == {"a.pdf": pdf("a"), "b.pdf": pdf("b")}
    assert [line.step.value for line in journal.of_document(collecting.firm, 1)] == [
        "discovered",
        "placing",
        "stored",
        "removed",
    ]


def test_the_journal_says_who_deposited_and_from_where(collecting: Collecting, server: NavetteServer) -> None:
    """Our own server tells the firm, and nobody else, the sender's login, address and receipt."""
    with FtpSession(server.connection(WRITE)) as session:
        session.make_folder("/000204")
        session.store(io.BytesIO(pdf("a")), "/000204/a.pdf")
        assert [file.sender for file in session.walk("/000204")] == [None]
    with FtpSession(server.connection(READ)) as session:
        (file,) = session.walk()
    assert file.sender is not None
    collecting.round()
    document = journal.document(collecting.firm, 1)
    assert (document.sender, document.peer) == (WRITE, "127.0.0.1")
    assert document.source_receipt == file.sender.receipt
    first = journal.of_document(collecting.firm, 1)[0]
    assert (first.actor, first.detail) == (WRITE, f"peer=127.0.0.1 receipt={file.sender.receipt}")


def test_another_certificate_than_the_pinned_one_is_refused(collecting: Collecting, server: NavetteServer) -> None:
    """The password is not sent to a server that shows another certificate."""
    collecting.firm.settings.set("ftp.fingerprint", "0" * 64)
    with pytest.raises(PermanentFailure, match=r"session\.fingerprint_differs"):
        collecting.round()
