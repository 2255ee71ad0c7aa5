"""What 226 promises: stored, under a name of its own, recorded, and only then visible."""

import errno
import ftplib
import io
import os
import threading
from pathlib import Path

import pytest
from served import FIDUCIARY, PDF, Served, serving, sha256
from waiting import until

from ftp_server.board import Board
from ftp_server.database import Database
from ftp_server.deposits import Deposits
from ftp_server.folders import Folders
from ftp_server.server import database
from ftp_server.staged import carried


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


def deposits_in(home: Path) -> list[tuple[str, str, str]]:
    opened: Database = database(home)
    deposits = Deposits(opened, Board())
    rows = [(d.folder, d.name, d.sha256) for folder in ((), ("000204",)) for d in deposits.published(FIDUCIARY, folder)]
    deposits.close()
    opened.close()
    return rows


def test_order_of_publication(tmp_path: Path) -> None:
    """READ sees nothing before the link; before the link the file carries its receipt; the link comes before 226."""
    home = tmp_path / "server"
    seen: list[tuple[str, str | None, int]] = []
    running: list[Served] = []

    def reached(step: str) -> None:
        if step != "server.settled":
            receipt = carried(running[0].staged()[0])
            seen.append((step, receipt and receipt.sha256, len(running[0].published())))

    with serving(home, reached) as served:
        running.append(served)
        with served.session() as ftp:
            ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
    digest = sha256(PDF)
    assert seen == [
        ("server.received", None, 0),
        ("server.synced", digest, 0),
        ("server.recorded", digest, 0),
        ("server.linked", digest, 1),
        ("server.answered", digest, 1),
    ]
    assert deposits_in(home) == [("/", "scan.pdf", digest)]


def test_where_files_cannot_carry_receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that lets files carry nothing, the receipt's row is written before the link."""
    monkeypatch.setattr("ftp_server.staged._RECEIPT", "unknown.namespace")
    home = tmp_path / "server"
    rows: dict[str, int] = {}
    with serving(home, lambda step: rows.setdefault(step, len(deposits_in(home)))) as served, served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
        assert ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)).startswith("226")
    assert served.published() == {"scan.pdf": PDF}
    assert rows["server.synced"] == 0
    assert rows["server.recorded"] == 1


def test_half_a_file_is_invisible(served: Served) -> None:
    """While a document arrives, READ lists nothing and can retrieve nothing."""
    with served.session() as ftp, served.collecting() as collector:
        sock = ftp.transfercmd("STOR scan.pdf")
        sock.sendall(PDF[:1000])
        until(lambda: served.staged() != [], 5, "bytes to arrive")
        assert collector.nlst() == []
        with pytest.raises(ftplib.error_perm):
            collector.size("scan.pdf")
        sock.sendall(PDF[1000:])
        sock.close()
        ftp.voidresp()
        assert collector.nlst() == ["scan.pdf"]


def test_a_name_never_replaces_another(served: Served) -> None:
    """The same name again gets a counter, and the reply tells it; case twins count as the same name."""
    with served.session() as ftp:
        told = [
            ftp.storbinary(f"STOR {name}", io.BytesIO(PDF + bytes([n])))
            for n, name in enumerate(["scan.pdf", "scan.pdf", "SCAN.PDF", "scan.pdf"])
        ]
    assert ['"/scan.pdf"' in told[0], '"/scan(2).pdf"' in told[1], '"/SCAN(' in told[2], '"/scan(' in told[3]] == [
        True
    ] * 4
    assert sorted(served.published().values()) == [PDF + bytes([n]) for n in range(4)]


def test_five_scanners_send_the_same_name_at_once(served: Served) -> None:
    """Five scanners that push scan.pdf at the same moment leave five documents."""
    documents = [PDF + bytes([n]) for n in range(5)]

    def push(data: bytes) -> None:
        with served.session() as ftp:
            ftp.storbinary("STOR /000204/scan.pdf", io.BytesIO(data))

    threads = [threading.Thread(target=push, args=(data,)) for data in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(served.published().values()) == documents
    assert all(name.startswith("000204/scan") for name in served.published())


def test_a_retry_is_stored_once(served: Served) -> None:
    """The same bytes under the same name, sent again after a lost reply, are stored once and told the first name."""
    replies = []
    for _ in range(2):
        with served.session() as ftp:
            replies.append(ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)))
    assert replies[0] == replies[1]
    assert list(served.published()) == ["scan.pdf"]


def test_a_retry_after_collection_is_not_published_again(served: Served) -> None:
    """A retry of what the fiduciary has collected already succeeds and brings nothing back."""
    with served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
    with served.collecting() as collector:
        collector.delete("scan.pdf")
    with served.session() as ftp:
        assert ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)).startswith("226")
        assert ftp.sendcmd("XSHA256 scan.pdf") == f"250 {sha256(PDF)}"
    assert served.published() == {}


def test_the_same_bytes_under_two_names_are_two_documents(served: Served) -> None:
    """Only the same name makes a retry: two names are two documents, whatever their bytes."""
    with served.session() as ftp:
        ftp.storbinary("STOR a.pdf", io.BytesIO(PDF))
        ftp.storbinary("STOR b.pdf", io.BytesIO(PDF))
    assert list(served.published()) == ["a.pdf", "b.pdf"]


def test_bytes_stay_as_they_are_in_ascii_type(served: Served) -> None:
    """TYPE A changes no byte, in either direction."""
    data = b"line one\r\nline two\nline three\r" * 100
    with served.session() as ftp:
        for kind in ("A", "A N", "a", "L 8", "i", "I"):
            assert ftp.sendcmd(f"TYPE {kind}").startswith("200")
        ftp.sendcmd("TYPE A")
        sock = ftp.transfercmd("STOR a.txt")
        sock.sendall(data)
        sock.close()
        ftp.voidresp()
        assert ftp.sendcmd("SIZE a.txt") == f"213 {len(data)}"
    assert served.published() == {"a.txt": data}


def test_collected_documents_go_to_the_trash(served: Served) -> None:
    """What READ removes is out of sight, kept in the trash, and its receipt says when it was collected."""
    with served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
    with served.collecting() as collector:
        held = io.BytesIO()
        collector.retrbinary("RETR scan.pdf", held.write)
        assert held.getvalue() == PDF
        collector.delete("scan.pdf")
        assert collector.nlst() == []
    assert [path.read_bytes() for path in (served.folder / "trash").iterdir()] == [PDF]
    assert deposits_in(served.home) == []


def test_settling_empties_staging(served: Served) -> None:
    """Soon after 226 the staging name is gone and the published file stays."""
    with served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
        until(lambda: served.staged() == [], 5, "staging to be empty")
    assert served.published() == {"scan.pdf": PDF}


def test_restart_finds_everything_as_it_was(tmp_path: Path) -> None:
    """A second server on the same folder serves the same documents to the same accounts with the same certificate."""
    home = tmp_path / "server"
    with serving(home) as served:
        first = served.server.certificate.fingerprint()
        with served.session() as ftp:
            ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
    with serving(home, passwords=served.passwords) as again:
        assert again.server.certificate.fingerprint() == first
        with again.collecting() as collector:
            assert collector.nlst() == ["scan.pdf"]


def test_stopping_lets_a_deposit_end(tmp_path: Path) -> None:
    """A server that is told to stop receives the deposit under way to its end, and answers it."""
    with serving(tmp_path / "server") as served, served.session() as ftp:
        sock = ftp.transfercmd("STOR scan.pdf")
        sock.sendall(PDF[:1000])
        until(lambda: served.staged() != [], 5, "bytes to arrive")
        served.server.stop()
        sock.sendall(PDF[1000:])
        sock.close()
        assert ftp.voidresp().startswith("226")
    assert served.published() == {"scan.pdf": PDF}


def test_a_document_named_like_a_folder(tmp_path: Path) -> None:
    """A document whose name a folder needs stands in nobody's way: what goes there lies beside it, at a start too."""
    with serving(tmp_path) as served:
        passwords = served.passwords
        with served.session() as ftp:
            ftp.storbinary("STOR 000204", io.BytesIO(PDF))
            assert ftp.storbinary("STOR 000204/a.pdf", io.BytesIO(PDF + b"a%%EOF")).startswith("226")
            ftp.storbinary("STOR b.pdf", io.BytesIO(PDF + b"b%%EOF"))
            assert ftp.rename("b.pdf", "000204/sub/b.pdf").startswith("250")
        with served.session(f"WRITE_{FIDUCIARY}_000204") as ftp:
            assert ftp.storbinary("STOR c.pdf", io.BytesIO(PDF + b"c%%EOF")).startswith("226")
        there = {"000204"} | {f"000204(2)/{name}.pdf" for name in ("a", "sub/b", "c")}
        assert set(served.published()) == there
        until(lambda: served.staged() == [], 5, "the staging names to go")
    with serving(tmp_path, passwords=passwords) as served:
        assert set(served.published()) == there
        with served.collecting() as ftp:
            ftp.delete("000204")
        with served.session(f"WRITE_{FIDUCIARY}_000204") as ftp:
            ftp.storbinary("STOR d.pdf", io.BytesIO(PDF + b"d%%EOF"))
        assert set(served.published()) == there - {"000204"} | {"000204/d.pdf"}


def test_a_folder_that_is_made_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that another session makes right after the look is never taken for a document in the way."""
    folders = Folders.of(tmp_path, FIDUCIARY)
    stat = Path.stat

    def looked(path: Path, **how: bool) -> os.stat_result:
        try:
            return stat(path, **how)
        finally:
            if path.name == "000204":
                os.makedirs(path, exist_ok=True)

    monkeypatch.setattr(Path, "stat", looked)
    assert folders.free_of_documents(("000204",)) == ("000204",)


def test_a_disk_that_refuses_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that got no name is not answered 226; sent again it has it, and is there once after the next start."""
    link = os.link

    def refusing(*names: object) -> None:
        monkeypatch.setattr(os, "link", link)
        raise OSError(errno.EIO, "the disk is ill")

    with serving(tmp_path) as served:
        passwords = served.passwords
        with served.session() as ftp:
            monkeypatch.setattr(os, "link", refusing)
            with pytest.raises(ftplib.error_temp, match="^451"):
                ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
            assert ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)).startswith("226")
        assert served.published() == {"scan.pdf": PDF}
    with serving(tmp_path, passwords=passwords) as served:
        assert list(served.published().values()) == [PDF]


def test_a_folder_that_became_a_document(served: Served) -> None:
    """A folder taken away by hand, whose name a document took, is made beside it once the device tries again."""
    with served.session() as ftp:
        ftp.storbinary("STOR 000204/a.pdf", io.BytesIO(PDF + b"a"))
        until(lambda: not served.staged(), what="the document to settle")
        files = served.folder / "files"
        (files / "000204" / "a.pdf").unlink()
        (files / "000204").rmdir()
        (files / "000204").write_bytes(PDF)
        with pytest.raises(ftplib.error_temp, match="^451"):
            ftp.storbinary("STOR 000204/b.pdf", io.BytesIO(PDF + b"b"))
        assert ftp.storbinary("STOR 000204/b.pdf", io.BytesIO(PDF + b"b")).startswith("226")
    assert served.published() == {"000204": PDF, "000204(2)/b.pdf": PDF + b"b"}


@pytest.mark.parametrize("command", ["XMD5", "XCRC"])
def test_no_checksum_of_what_took_the_name(served: Served, command: str) -> None:
    """A session that asks for a checksum of its deposit is never told that of another document with its name."""
    with served.session() as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
        assert ftp.sendcmd(f"{command} scan.pdf").startswith("250")
        place = served.folder / "files" / "scan.pdf"
        place.unlink()
        place.write_bytes(PDF + b"of another")
        with pytest.raises(ftplib.error_perm, match="^550 It was collected already"):
            ftp.sendcmd(f"{command} scan.pdf")
