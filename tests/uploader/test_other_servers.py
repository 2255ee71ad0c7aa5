"""The upload on servers that are not Navette's own, with fewer rights and fewer answers."""

from pathlib import Path
from typing import Any

import pytest

from transfer.failures import PermanentFailure
from transfer.ftp_session import FtpSession
from transfer.receipts import Proof
from uploader.events import Failed, Fate, Sent

WRITE_ONLY = "elwm"  # may list and store, may neither rename nor delete


def put(client: Any, name: str = "scan.pdf", content: bytes = b"content") -> Path:
    path: Path = client.folder / name
    path.write_bytes(content)
    return path


def test_a_taken_name_gets_a_counter(plain_server: Any, uploads: Any) -> None:
    """A stock server would overwrite; the upload looks first and chooses a free name."""
    server = plain_server()
    client = uploads(server.connection())
    for content in (b"first", b"second", b"third"):
        put(client, content=content)
        client.run()
    assert server.holds() == {"scan.pdf": b"first", "scan(2).pdf": b"second", "scan(3).pdf": b"third"}


def test_a_file_appears_whole_under_its_name(plain_server: Any, uploads: Any) -> None:
    """While it is sent, a file has a name that says it is unfinished; it gets its own by renaming."""
    server = plain_server()
    client = uploads(server.connection())
    put(client, content=b"x" * 600_000)
    seen: list[list[str]] = []

    def tell(event: Any) -> None:
        client.events.append(event)
        seen.append(sorted(server.holds()))

    client.run(tell=tell)
    assert all(name.endswith(".part") for names in seen[:-2] for name in names)
    assert list(server.holds()) == ["scan.pdf"]


def test_without_the_right_to_rename_files_go_straight_to_their_name(plain_server: Any, uploads: Any) -> None:
    """An account that may only write gets its files under free names all the same."""
    server = plain_server(rights=WRITE_ONLY)
    client = uploads(server.connection())
    put(client, "a.pdf", b"a")
    put(client, "b.pdf", b"b")
    assert client.run(connections=1).sent == 2
    whole = {name: content for name, content in server.holds().items() if not name.endswith(".part")}
    assert whole == {"a.pdf": b"a", "b.pdf": b"b"}
    assert server.commands.count("RNFR") == 1
    assert list(client.folder.iterdir()) == []


def test_a_useless_part_is_taken_away_again(plain_server: Any, uploads: Any) -> None:
    """Where renaming is refused but removing is not, no unfinished name stays behind."""
    server = plain_server(refused=frozenset({"RNFR"}))
    client = uploads(server.connection())
    put(client)
    client.run()
    assert server.holds() == {"scan.pdf": b"content"}


def test_a_server_that_tells_no_sizes_never_has_its_files_replaced(plain_server: Any, uploads: Any) -> None:
    """Where nothing can be looked up, names carry the time, and local files are kept, not deleted."""
    server = plain_server(refused=frozenset({"SIZE", "XSHA256"}))
    (server.root / "000204").mkdir()
    (server.root / "000204" / "scan.pdf").write_bytes(b"of somebody else")
    client = uploads(server.connection())
    put(client)
    client.run()
    (sent,) = client.told(Sent)
    assert (sent.receipt.proof, sent.fate) == (Proof.REPLY, Fate.KEPT)
    assert sent.kept_as.read_bytes() == b"content"
    assert server.holds()["scan.pdf"] == b"of somebody else"
    assert b"content" in server.holds().values()


@pytest.mark.parametrize("rights", ["elradfmwMT", WRITE_ONLY])
def test_an_upload_that_broke_off_after_storing_is_not_repeated(plain_server: Any, uploads: Any, rights: str) -> None:
    """A file that is stored, but whose receipt was never written down, is found on the server by the next upload."""
    server = plain_server(rights=rights)
    client = uploads(server.connection())
    put(client)

    def ends(step: str) -> None:
        if step == "upload.sent":
            raise PermanentFailure("upload.cancelled", file="scan.pdf")

    client.run(reached=ends)
    finished = client.run()
    assert finished.sent == 1
    whole = {name: content for name, content in server.holds().items() if not name.endswith(".part")}
    assert whole == {"scan.pdf": b"content"}
    assert list(client.folder.iterdir()) == []


def test_folders_above_the_target_are_made(plain_server: Any, uploads: Any) -> None:
    """A target several folders deep is made step by step."""
    server = plain_server()
    client = uploads(server.connection(), folder="/clients/000204/2026")
    put(client)
    assert client.run().sent == 1
    assert server.holds("clients/000204/2026") == {"scan.pdf": b"content"}


def test_a_server_that_keeps_fewer_bytes_gets_no_receipt(plain_server: Any, uploads: Any) -> None:
    """When the stored size differs from what was sent, the file fails and stays with the client."""
    server = plain_server()
    client = uploads(server.connection())
    path = put(client)

    def cuts(step: str) -> None:
        if step == "upload.sent":
            (server.root / "000204" / "scan.pdf").write_bytes(b"cut")

    assert client.run(reached=cuts).failed == 1
    assert client.told(Failed)[0].failure.code == "receipt.size_differs"
    assert path.exists()


def test_half_a_file_is_replaced_by_its_next_attempt(plain_server: Any, uploads: Any) -> None:
    """Where unfinished names are refused, a transfer that broke is repeated under the same name, not beside it."""
    server = plain_server(rights=WRITE_ONLY)
    client = uploads(server.connection())
    put(client, "a.pdf", b"a" * 10)
    path = put(client, content=b"x" * 600_000)
    broken: list[str] = []

    class Breaking(FtpSession):
        def store(self, source: Any, path: str, *given: Any) -> Any:
            if path.endswith("/scan.pdf") and not broken:
                broken.append(path)
                (server.root / "000204" / "scan.pdf").write_bytes(b"x" * 300_000)
                self.abandon()
            return super().store(source, path, *given)

    assert client.run(open_session=lambda: Breaking(server.connection(), timeout=10), connections=1).sent == 2
    assert broken
    whole = {name: len(content) for name, content in server.holds().items() if not name.endswith(".part")}
    assert whole == {"a.pdf": 10, "scan.pdf": 600_000}
    assert not path.exists()


def test_somebody_elses_file_of_the_same_size_is_not_taken_for_ours(plain_server: Any, uploads: Any) -> None:
    """An upload that ended before its file got the chosen name finds that name taken, and takes another."""
    server = plain_server()
    client = uploads(server.connection())
    path = put(client, content=b"mine..")

    class EndsBeforeRenaming(FtpSession):
        def rename(self, path: str, new_path: str) -> None:
            (server.root / "000204" / "scan.pdf").write_bytes(b"theirs")
            raise PermanentFailure("upload.cancelled", file="scan.pdf")

    client.run(open_session=lambda: EndsBeforeRenaming(server.connection(), timeout=10))
    assert path.exists()
    assert client.run().sent == 1
    assert server.holds() == {"scan.pdf": b"theirs", "scan(2).pdf": b"mine.."}
