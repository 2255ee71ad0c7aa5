"""One session with a server that works, plain and with TLS."""

import io
import socket
from dataclasses import replace

import pytest

from transfer.client_ini import Connection, Security
from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.fingerprints import measure
from transfer.ftp_session import FtpSession, RemoteFile
from transfer.receipts import Proof, Receipt, confirm

CONTENT = bytes(range(256)) * 5_000


def deposit(session: FtpSession, path: str, content: bytes = CONTENT) -> Receipt:
    """Store bytes and return the receipt for the remote file itself."""
    stored = session.store(io.BytesIO(content), path, len(content))
    return confirm(stored.path, stored.sent, session.fingerprint(stored.path), stored.path)


def paths(session: FtpSession) -> set[str]:
    """Return the paths of all files of the server."""
    return {file.path for file in session.walk()}


@pytest.mark.parametrize("content", [CONTENT, b"", b"\r\n\n\r\0\xff\x04\x1a"])
def test_bytes_arrive_and_come_back_as_they_were(connection: Connection, content: bytes) -> None:
    """What is stored is measured, told back by the server, and retrieved with the same bytes."""
    seen = list[int]()
    back = io.BytesIO()
    with FtpSession(connection) as session:
        stored = session.store(io.BytesIO(content), "/é a.bin", len(content), seen.append)
        assert session.size("/é a.bin") == len(content)
        assert session.retrieve("/é a.bin", back) == stored.sent == measure(io.BytesIO(content))
    assert back.getvalue() == content
    assert seen == sorted(seen)
    assert seen[-1:] == ([len(content)] if content else [])


def test_a_listing_tells_files_of_all_folders(connection: Connection) -> None:
    """A walk yields each file once with its path, size and time of change, to the depth asked for."""
    with FtpSession(connection) as session:
        for folder in ("/000204", "/000204", "/000204/2026 été"):
            session.make_folder(folder)
        deposit(session, "/000204/2026 été/scan 🧾.pdf", b"abc")
        deposit(session, "/racine.txt", b"")
        found = {file.path: file for file in session.walk()}
        assert {path: file.size for path, file in found.items()} == {
            "/000204/2026 été/scan 🧾.pdf": 3,
            "/racine.txt": 0,
        }
        assert all(file.modified and len(file.modified) == 14 for file in found.values())
        assert found["/racine.txt"] == RemoteFile("/racine.txt", 0, session.modified("/racine.txt"))
        assert [file.path for file in session.walk("/000204")] == ["/000204/2026 été/scan 🧾.pdf"]
        assert [file.path for file in session.walk("/", depth=1)] == ["/racine.txt"]


def test_sizes_are_told_at_any_moment(connection: Connection) -> None:
    """A size is told as the first thing a session asks and right after a listing, although both leave ASCII mode on."""
    with FtpSession(connection) as session:
        deposit(session, "/a.pdf")
    with FtpSession(connection) as session:
        assert session.size("/a.pdf") == len(CONTENT)
        assert paths(session) == {"/a.pdf"}
        assert session.size("/a.pdf") == len(CONTENT)
        assert session.size("/b.pdf") is None


def test_many_files_are_looked_at_again_at_once(connection: Connection) -> None:
    """Size and time of change of many files are told as a listing tells them, and neither of one that is gone."""
    with FtpSession(connection) as session:
        for n in range(150):
            deposit(session, f"/{n}.txt", b"%d" % n)
        listed = sorted(session.walk(), key=lambda file: file.path)
        again = session.look_again([file.path for file in listed])
        assert [(file.path, file.size) for file in again] == [(file.path, file.size) for file in listed]
        assert all(file.modified for file in again)
        assert session.look_again(["/none"]) == [RemoteFile("/none", None, None)]
        assert session.hashes([file.path for file in listed]) == [None] * 150


def test_removal_needs_a_receipt_and_takes_away_only_its_file(connection: Connection) -> None:
    """Exactly the files whose receipts are given are removed, one or many, and one that is gone already is as good."""
    with FtpSession(connection) as session:
        receipts = [deposit(session, f"/{n}.txt", b"%d" % n) for n in range(150)]
        assert {receipt.proof for receipt in receipts} == {Proof.SIZE}
        session.remove(receipts[0])
        session.remove(receipts[0])
        assert session.remove_all(receipts[:140]) == receipts[:140]
        assert paths(session) == {receipt.source for receipt in receipts[140:]}
        assert session.remove_all([]) == []


def test_a_file_can_be_given_another_path(connection: Connection) -> None:
    """A renamed file stands under its new path only, and a file that is not there cannot be renamed."""
    with FtpSession(connection) as session:
        deposit(session, "/a.pdf.part")
        session.rename("/a.pdf.part", "/a.pdf")
        assert paths(session) == {"/a.pdf"}
        with pytest.raises(PermanentFailure) as caught:
            session.rename("/none", "/some")
    assert caught.value.code == "session.refused"


def test_active_mode_works_where_passive_does_not(connection: Connection) -> None:
    """With passive mode switched off the server connects to us, and the bytes are the same."""
    back = io.BytesIO()
    with FtpSession(replace(connection, passive=False)) as session:
        deposit(session, "/a.bin")
        session.retrieve("/a.bin", back)
    assert back.getvalue() == CONTENT


def test_small_commands_are_not_held_back(connection: Connection) -> None:
    """Both sockets send at once (TCP_NODELAY), which is what many small files need."""
    with FtpSession(connection) as session:
        measured = list[int]()

        def look(_: int) -> None:
            for sock in (session._ftp.sock, session._ftp.data_socket):
                assert sock is not None
                measured.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        session.store(io.BytesIO(b"x"), "/x", 1, look)
    assert len(measured) == 2
    assert all(measured)


class LocalFault(OSError):
    """What a disk says that is full."""


class BadDisk(io.BytesIO):
    """A file that can be read and written up to a point."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Fail after the first block."""
        if self.tell():
            raise LocalFault(5, "read error")
        return super().read(size)

    def write(self, content: object, /) -> int:
        """Fail at once."""
        raise LocalFault(28, "no space left")


def test_a_local_fault_is_told_as_it_is(connection: Connection) -> None:
    """A disk that fails in a transfer, or a callback that raises, is not taken for a fault of the server."""

    def raising(_: int) -> None:
        raise TemporaryFailure("upload.changed", file="a")

    with FtpSession(connection) as session:
        deposit(session, "/good")
        with pytest.raises(LocalFault):
            session.store(BadDisk(CONTENT), "/torn")
    with FtpSession(connection) as session, pytest.raises(LocalFault):
        session.retrieve("/good", BadDisk())
    with FtpSession(connection) as session, pytest.raises(TemporaryFailure) as caught:
        session.store(io.BytesIO(CONTENT), "/changed", len(CONTENT), raising)
    assert caught.value.code == "upload.changed"


def test_a_certificate_that_is_not_the_pinned_one_is_refused(tls: Connection) -> None:
    """The pinned certificate opens the session; another one, or none pinned for a self-signed one, ends it."""
    with FtpSession(tls) as session:
        assert session.size("/none") is None
    for connection, code in (
        (replace(tls, fingerprint="0" * 64), "session.fingerprint_differs"),
        (replace(tls, fingerprint=None), "session.certificate_refused"),
    ):
        with pytest.raises(PermanentFailure) as caught, FtpSession(connection):
            pass
        assert caught.value.code == code


def test_a_server_without_tls_gets_no_password(plain: Connection) -> None:
    """Where TLS is asked for and the server has none, the session ends instead of going on unprotected."""
    with pytest.raises(PermanentFailure) as caught, FtpSession(replace(plain, security=Security.TLS)):
        pass
    assert caught.value.code == "session.tls_refused"
