"""The upload against a stock FTP server: what is sent, what is told, what becomes of the local files."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ports import free_port

from transfer.client_ini import AfterUpload, Connection, Security
from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.ftp_session import FtpSession
from transfer.receipts import Proof
from uploader.events import Failed, Fate, Pausing, Progress, Sent, Started


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)


def test_files_arrive_byte_for_byte_and_are_removed(plain_server: Any, uploads: Any) -> None:
    """Every chosen file arrives under its name, is proven by its size and leaves the client's folder."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"a" * 700_000, b_pdf=b"", c_pdf=b"%PDF-1.4 %%EOF")
    finished = client.run()
    assert (finished.sent, finished.failed, finished.left) == (3, 0, 0)
    assert server.holds() == {"a.pdf": b"a" * 700_000, "b.pdf": b"", "c.pdf": b"%PDF-1.4 %%EOF"}
    assert list(client.folder.iterdir()) == []
    assert {event.receipt.proof for event in client.told(Sent)} == {Proof.SIZE}
    assert {event.fate for event in client.told(Sent)} == {Fate.REMOVED}


def test_progress_counts_the_bytes_of_each_file(plain_server: Any, uploads: Any) -> None:
    """Progress rises to the file's size, after the file was announced with that size."""
    client = uploads(plain_server().connection())
    write(client.folder, a_pdf=b"x" * 600_000)
    client.run()
    assert client.told(Started)[0].size == 600_000
    counts = [event.sent for event in client.told(Progress)]
    assert counts == sorted(counts)
    assert counts[-1] == 600_000


def test_larger_files_begin_first(plain_server: Any, uploads: Any) -> None:
    """Over one connection, the files go in the order of their sizes, largest first."""
    client = uploads(plain_server().connection())
    write(client.folder, a_pdf=b"1", b_pdf=b"333", c_pdf=b"22")
    client.run(connections=1)
    assert [event.path.name for event in client.told(Started)] == ["b.pdf", "c.pdf", "a.pdf"]


def test_a_wrong_password_is_tried_once(plain_server: Any, uploads: Any) -> None:
    """A refused login is final: one attempt over one connection, and every file fails with it, untouched."""
    server = plain_server()
    wrong = Connection("127.0.0.1", server.port, "client", "wrong", Security.NONE)
    client = uploads(wrong)
    write(client.folder, a_pdf=b"a", b_pdf=b"b")
    finished = client.run()
    assert finished.stopped_by is not None
    assert finished.stopped_by.code == "session.login_refused"
    assert [event.failure.code for event in client.told(Failed)] == ["session.login_refused"] * 2
    assert server.commands.count("PASS") == 1
    assert client.pauses == []
    assert len(list(client.folder.iterdir())) == 2


def test_an_unreachable_server_is_tried_three_times(uploads: Any, free_port_connection: Connection) -> None:
    """A server that is not there is tried again after 5 and 15 seconds, then every file fails, untouched."""
    client = uploads(free_port_connection)
    write(client.folder, a_pdf=b"a")
    finished = client.run()
    assert finished.stopped_by is not None
    assert finished.stopped_by.code == "session.unreachable"
    assert client.pauses == [5.0, 15.0]
    assert [event.path for event in client.told(Pausing)] == [None, None]
    assert (client.folder / "a.pdf").exists()


def test_a_file_that_grows_while_it_is_sent_is_never_taken_for_whole(plain_server: Any, uploads: Any) -> None:
    """A file another program still writes to breaks the transfer off; the server shows nothing, the file stays."""
    server = plain_server()
    client = uploads(server.connection())
    growing = client.folder / "scan.pdf"
    growing.write_bytes(b"x" * 600_000)

    def tell(event: Any) -> None:
        client.events.append(event)
        if isinstance(event, Progress):
            with growing.open("ab") as file:
                file.write(b"more")

    client.run(tell=tell)
    assert [event.failure.code for event in client.told(Failed)] == ["upload.changed"]
    assert [name for name in server.holds() if not name.endswith(".part")] == []
    assert growing.exists()


def test_a_file_that_changed_once_is_sent_in_its_new_version(plain_server: Any, uploads: Any) -> None:
    """A file that changes during the first attempt and then stands still is sent whole by the second."""
    server = plain_server()
    client = uploads(server.connection())
    (client.folder / "scan.pdf").write_bytes(b"x" * 600_000)

    def tell(event: Any) -> None:
        if isinstance(event, Progress) and not client.told(Progress):
            (client.folder / "scan.pdf").write_bytes(b"the final version")
        client.events.append(event)

    assert client.run(tell=tell).sent == 1
    assert server.holds() == {"scan.pdf": b"the final version"}


def test_a_file_that_vanishes_while_it_is_sent_fails_alone(plain_server: Any, uploads: Any) -> None:
    """A file deleted during its transfer is not published; the others go on."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"x" * 600_000, b_pdf=b"b")

    def tell(event: Any) -> None:
        client.events.append(event)
        if isinstance(event, Progress) and event.path.name == "a.pdf":
            event.path.unlink(missing_ok=True)

    client.run(tell=tell)
    assert [event.failure.code for event in client.told(Failed)] == ["upload.vanished"]
    assert [name for name in server.holds() if not name.endswith(".part")] == ["b.pdf"]


def test_a_file_changed_after_it_was_sent_is_not_removed(plain_server: Any, uploads: Any) -> None:
    """A version that was never sent is never deleted, however late the change came."""
    client = uploads(plain_server().connection())
    write(client.folder, a_pdf=b"first")

    def reached(step: str) -> None:
        if step == "upload.recorded":
            (client.folder / "a.pdf").write_bytes(b"second version")

    finished = client.run(reached=reached)
    assert (finished.sent, finished.stayed) == (1, 1)
    assert client.told(Sent)[0].trouble.code == "upload.changed"
    assert (client.folder / "a.pdf").read_bytes() == b"second version"


def test_the_history_is_written_before_the_file_is_removed(plain_server: Any, uploads: Any) -> None:
    """At the moment the receipt is recorded, the local file is still there; it goes only afterwards."""
    client = uploads(plain_server().connection())
    write(client.folder, a_pdf=b"a")
    there = {}

    def reached(step: str) -> None:
        there[step] = (client.folder / "a.pdf").exists(), len(client.history.latest(target(client), 10))

    client.run(reached=reached)
    assert there["upload.confirmed"] == (True, 0)
    assert there["upload.recorded"] == (True, 1)
    assert there["upload.removed"] == (False, 1)


def target(client: Any) -> str:
    return f"client@127.0.0.1:{client.ini.connection.port}/000204"


def test_keep_moves_sent_files_and_deletes_them_later(plain_server: Any, uploads: Any) -> None:
    """With ``keep`` a file goes to Envoyés/YYYY-MM; it is deleted by the first upload after its days are over."""
    client = uploads(plain_server().connection(), after=AfterUpload.KEEP)
    write(client.folder, a_pdf=b"a")
    day = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    client.run(clock=lambda: day)
    kept = client.folder / "Envoyés" / "2026-11" / "a.pdf"
    assert kept.read_bytes() == b"a"
    assert client.told(Sent)[0].kept_as == kept
    client.upload(clock=lambda: day + timedelta(days=29)).run([])
    assert kept.exists()
    client.upload(clock=lambda: day + timedelta(days=31)).run([])
    assert not kept.exists()


def test_a_kept_file_that_was_changed_is_never_deleted(plain_server: Any, uploads: Any) -> None:
    """What the client wrote into a kept file was never sent, so it stays."""
    client = uploads(plain_server().connection(), after=AfterUpload.KEEP)
    write(client.folder, a_pdf=b"a")
    day = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    client.run(clock=lambda: day)
    kept = client.folder / "Envoyés" / "2026-11" / "a.pdf"
    kept.write_bytes(b"annotated")
    client.upload(clock=lambda: day + timedelta(days=400)).run([])
    assert kept.read_bytes() == b"annotated"


def test_a_file_sent_but_not_removed_is_not_sent_again(plain_server: Any, uploads: Any) -> None:
    """An upload that ended between receipt and removal is finished by the next one without sending."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"a")

    def ends(step: str) -> None:
        if step == "upload.recorded":
            raise PermanentFailure("upload.cancelled", file="a.pdf")

    client.run(reached=ends)
    assert (client.folder / "a.pdf").exists()
    server.commands.clear()
    finished = client.run()
    assert finished.sent == 1
    assert "STOR" not in server.commands
    assert not (client.folder / "a.pdf").exists()
    assert server.holds() == {"a.pdf": b"a"}


def test_another_file_of_the_same_size_and_time_is_sent(plain_server: Any, uploads: Any) -> None:
    """Size and time alone never count as sent before: the bytes must be the same."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"one")
    status = (client.folder / "a.pdf").stat()

    def ends(step: str) -> None:
        if step == "upload.recorded":
            raise PermanentFailure("upload.cancelled", file="a.pdf")

    client.run(reached=ends)
    (client.folder / "a.pdf").write_bytes(b"two")
    os.utime(client.folder / "a.pdf", ns=(status.st_atime_ns, status.st_mtime_ns))
    client.run()
    assert sorted(server.holds().values()) == [b"one", b"two"]


def test_cancel_finishes_the_files_under_way(plain_server: Any, uploads: Any) -> None:
    """After one cancel the running file is sent to its end and no other is begun; those are left as they were."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"x" * 600_000, b_pdf=b"b", c_pdf=b"c")

    def tell(event: Any) -> None:
        client.events.append(event)
        if isinstance(event, Started):
            upload.cancel()

    upload = client.upload(tell=tell, connections=1)
    finished = upload.run(sorted(client.folder.iterdir()))
    assert (finished.sent, finished.failed, finished.left) == (1, 0, 2)
    assert list(server.holds()) == ["a.pdf"]


def test_a_second_cancel_breaks_off_at_once(plain_server: Any, uploads: Any) -> None:
    """After two cancels the running file is broken off: not published, not removed."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"x" * 3_000_000)

    def tell(event: Any) -> None:
        client.events.append(event)
        if isinstance(event, Progress) and event.sent < 1_000_000:
            upload.cancel()
            upload.cancel()

    upload = client.upload(tell=tell)
    upload.run(sorted(client.folder.iterdir()))
    assert [event.failure.code for event in client.told(Failed)] == ["upload.cancelled"]
    assert [name for name in server.holds() if not name.endswith(".part")] == []
    assert (client.folder / "a.pdf").exists()


def test_a_dead_connection_does_not_stop_the_others(plain_server: Any, uploads: Any) -> None:
    """A server that allows one connection only gets all files over that one."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, **{f"{n}_pdf": b"%d" % n for n in range(8)})
    opened: list[int] = []

    def one_only() -> FtpSession:
        opened.append(1)
        port = server.port if len(opened) == 1 else 1
        return FtpSession(Connection("127.0.0.1", port, "client", "secret", Security.NONE), timeout=10)

    finished = client.run(open_session=one_only)
    assert (finished.sent, finished.failed) == (8, 0)
    assert len(server.holds()) == 8


def test_a_server_that_goes_away_in_the_middle_loses_nothing(plain_server: Any, uploads: Any) -> None:
    """When the server ends during an upload, what it had not stored stays with the client."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, **{f"{n}_pdf": b"%d" % n * 300_000 for n in range(6)})
    gone = threading.Event()

    def tell(event: Any) -> None:
        client.events.append(event)
        if isinstance(event, Sent) and not gone.is_set():
            gone.set()
            server.stop()

    finished = client.run(tell=tell, connections=2)
    assert finished.sent + finished.failed == 6
    assert finished.failed > 0
    assert finished.stopped_by is not None
    stayed = {path.name for path in client.folder.iterdir()}
    assert stayed | set(server.holds()) >= {f"{n}.pdf" for n in range(6)}
    for name in {f"{n}.pdf" for n in range(6)} - stayed:
        assert server.holds()[name] == name[0].encode() * 300_000


def test_a_busy_server_is_tried_again(plain_server: Any, uploads: Any) -> None:
    """A session that breaks is opened anew after a pause, and the file is then sent once."""
    server = plain_server()
    client = uploads(server.connection())
    write(client.folder, a_pdf=b"a" * 600_000)
    broken: list[FtpSession] = []

    class Breaking(FtpSession):
        def store(self, *given: Any, **named: Any) -> Any:
            if not broken:
                broken.append(self)
                self.abandon()
            return super().store(*given, **named)

    finished = client.run(open_session=lambda: Breaking(server.connection(), timeout=10))
    assert finished.sent == 1
    assert client.pauses == [5.0]
    assert isinstance(client.told(Pausing)[0].failure, TemporaryFailure)
    assert server.holds() == {"a.pdf": b"a" * 600_000}


def test_only_one_upload_to_a_dossier_runs_at_a_time(plain_server: Any, uploads: Any) -> None:
    """A second program that would send to the same place is refused with a sentence, and touches nothing."""
    client = uploads(plain_server().connection())
    write(client.folder, a_pdf=b"a")
    with client.history.only_upload(target(client)):
        finished = client.run()
    assert finished.stopped_by is not None
    assert finished.stopped_by.code == "upload.runs_already"
    assert (client.folder / "a.pdf").exists()
    assert client.run().sent == 1


def test_two_files_that_get_the_same_safe_name_are_both_kept(plain_server: Any, uploads: Any) -> None:
    """Names that differ only in what a server cannot hold, or in case, get a counter: none overwrites the other."""
    server = plain_server()
    client = uploads(server.connection())
    for name, content in {"Scan.pdf": b"1", "scan.pdf": b"2", "a:b.pdf": b"3", "a_b.pdf": b"4"}.items():
        (client.folder / name).write_bytes(content)
    assert client.run().sent == 4
    assert sorted(server.holds().values()) == [b"1", b"2", b"3", b"4"]
    assert len({name.casefold() for name in server.holds()}) == 4


@pytest.fixture
def free_port_connection() -> Connection:
    """A port where nothing listens."""
    return Connection("127.0.0.1", free_port(), "client", "secret", Security.NONE)


def test_cancelling_while_the_server_is_out_of_reach_leaves_all_files(
    uploads: Any, free_port_connection: Connection
) -> None:
    """Who cancels during a pause gets no failure for each file: they are simply left."""
    client = uploads(free_port_connection)
    write(client.folder, a_pdf=b"a", b_pdf=b"b")
    upload = client.upload(wait=lambda _: upload.cancel())
    finished = upload.run(sorted(client.folder.iterdir()))
    assert (finished.sent, finished.failed, finished.left) == (0, 0, 2)
    assert finished.stopped_by is None


def test_a_history_that_refuses_leaves_every_file_in_place(plain_server: Any, uploads: Any) -> None:
    """A file that is stored but cannot be written down is not removed, and is told as not sent."""
    client = uploads(plain_server().connection())
    write(client.folder, **{f"{n}_pdf": b"%d" % n for n in range(12)})

    def tell(event: Any) -> None:
        client.events.append(event)
        if len(client.told(Sent)) == 3:
            client.history._file.database.execute("PRAGMA query_only = ON")

    finished = client.run(tell=tell, connections=2)
    assert finished.stopped_by is not None
    assert finished.stopped_by.code == "history.unusable"
    assert finished.sent + finished.failed == 12
    assert {event.path.name for event in client.told(Failed)} == {path.name for path in client.folder.iterdir()}
