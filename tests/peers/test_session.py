"""A session of ours with vsftpd, ProFTPD and Pure-FTPd, plain and with TLS; never with a server of our own."""

import hashlib
import io
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from peers import DOSSIER, Peer
from processes import descendants
from sample_documents import pdf, sample_set

from transfer.client_ini import Security
from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.fingerprints import Fingerprint
from transfer.ftp_session import FtpSession
from transfer.receipts import Proof, Receipt, confirm

pytestmark = pytest.mark.peer


def _deposit(session: FtpSession, path: Path, name: str) -> Receipt:
    with path.open("rb") as source:
        stored = session.store(source, f"/{DOSSIER}/{name}", path.stat().st_size)
    return confirm(stored.path, stored.sent, session.fingerprint(stored.path), stored.path)


def test_every_document_arrives_and_comes_back_as_it_was(server: Peer, tmp_path: Path) -> None:
    """Files of each kind and name are stored, listed with their size, and read back with the same bytes."""
    local = tmp_path / "local"
    local.mkdir()
    sent = {path.name: path.read_bytes() for path in sample_set(local)}
    with FtpSession(server.connection) as session:
        for name in sent:
            assert _deposit(session, local / name, name).proof in {Proof.HASH, Proof.SIZE}
        listed = {found.path: found.size for found in session.walk("/")}
        assert listed == {f"/{DOSSIER}/{name}": len(content) for name, content in sent.items()}
        for name, content in sent.items():
            back = io.BytesIO()
            told = session.retrieve(f"/{DOSSIER}/{name}", back)
            assert back.getvalue() == content
            assert told == Fingerprint(len(content), hashlib.sha256(content).hexdigest())
    assert {path.name: path.read_bytes() for path in (server.root / DOSSIER).iterdir()} == sent


def test_listings_tell_when_a_file_changed(server: Peer) -> None:
    """A listing gives each file's time of change, the same one twice, and another after the file is replaced."""
    path = f"/{DOSSIER}/scan.pdf"
    with FtpSession(server.connection) as session:
        session.store(io.BytesIO(pdf("one")), path)
        os.utime(server.root / path[1:], (1_700_000_000, 1_700_000_000))
        first = next(iter(session.walk("/")))
        assert first.modified == "20231114221320"
        assert next(iter(session.walk("/"))) == first
        session.store(io.BytesIO(pdf("another, longer")), path)
        assert next(iter(session.walk("/"))) != first


def test_only_what_has_a_receipt_is_removed(server: Peer, tmp_path: Path) -> None:
    """Removing takes away exactly the files whose receipts are given, one or many, and one already gone is no fault."""
    paths = []
    for n in range(6):
        paths.append(tmp_path / f"é {n}.pdf")
        paths[-1].write_bytes(pdf(f"{n}", padding=n + 1))
    with FtpSession(server.connection) as session:
        receipts = [_deposit(session, path, path.name) for path in paths]
        session.remove(receipts[0])
        session.remove(receipts[0])
        session.remove_all(receipts[1:4])
        left = {found.path for found in session.walk("/")}
    assert left == {receipt.source for receipt in receipts[4:]}


def test_a_folder_is_made_once_and_again_without_a_fault(server: Peer) -> None:
    """Making a folder that exists already is as good as making it."""
    with FtpSession(server.connection) as session:
        for _ in range(2):
            session.make_folder(f"/{DOSSIER}/2026 été")
        session.store(io.BytesIO(b"x"), f"/{DOSSIER}/2026 été/a.txt")
        assert [found.path for found in session.walk("/")] == [f"/{DOSSIER}/2026 été/a.txt"]


def test_active_mode_works(server: Peer) -> None:
    """Where passive mode is switched off, the server connects to us and the bytes are the same."""
    content = pdf("active", padding=300_000)
    with FtpSession(replace(server.connection, passive=False)) as session:
        session.store(io.BytesIO(content), f"/{DOSSIER}/active.pdf", len(content))
        back = io.BytesIO()
        session.retrieve(f"/{DOSSIER}/active.pdf", back)
    assert back.getvalue() == content


def test_a_refused_login_says_so(server: Peer) -> None:
    """A login the server refuses is a permanent failure that names the login and never the password."""
    wrong = replace(server.connection, user="nobody-here", password="not-the-password")
    with pytest.raises(PermanentFailure) as caught, FtpSession(wrong):
        pass
    assert caught.value.code == "session.login_refused"
    assert "not-the-password" not in str(caught.value)


def test_a_connection_that_is_not_the_trusted_one_gets_no_login(server: Peer) -> None:
    """A server without TLS, one with another certificate, and one the system does not trust are refused by name."""
    wrong = replace(server.connection, security=Security.TLS, fingerprint="0" * 64)
    refusals = {"session.tls_refused": wrong}
    if server.connection.security is Security.TLS:
        untrusted = replace(wrong, fingerprint=None)
        refusals = {"session.fingerprint_differs": wrong, "session.certificate_refused": untrusted}
    for code, connection in refusals.items():
        with pytest.raises(PermanentFailure) as caught, FtpSession(connection):
            pass
        assert caught.value.code == code


def test_a_server_that_dies_in_the_middle_is_a_temporary_failure(server: Peer) -> None:
    """When the server is killed during a transfer, the session fails with a code and trying again later is right."""

    class Deadly(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 4_000_000:
                for pid in (server.pid, *descendants(server.pid)):
                    os.kill(pid, signal.SIGKILL)
            return super().read(size)

    with pytest.raises(TemporaryFailure) as caught, FtpSession(server.connection) as session:
        session.store(Deadly(os.urandom(20_000_000)), f"/{DOSSIER}/a.bin")
    assert caught.value.code == "session.interrupted"
