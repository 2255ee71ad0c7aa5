"""What a round decides from the listing and from what it knows, without a server."""

from datetime import timedelta
from pathlib import Path

from firm_rooms import START

from dossiers.document import Document, State
from fetcher.plan import Plan, planned, settled
from transfer.ftp_session import RemoteFile


def file(path: str, size: int | None = 3, modified: str | None = "20261124093000") -> RemoteFile:
    """Return a file as listed."""
    return RemoteFile(path, size, modified)


def document(path: str, state: State, minutes: int | None = None) -> Document:
    """Return an open document, due again in so many minutes."""
    return Document(
        id=1,
        origin="ftp",
        source="here",
        path=path,
        source_size=3,
        source_modified="20261124093000",
        source_sha256=None,
        dossier="000204",
        reason=None,
        name="a",
        folder=Path("/x"),
        placed=None,
        size=None,
        sha256=None,
        state=state,
        found=START,
        failure=None,
        attempts=0,
        next_try=None if minutes is None else START + timedelta(minutes=minutes),
    )


def test_only_files_that_stood_still_are_settled() -> None:
    """A file that grew, was touched, is new, is gone, or has the name of an unfinished one is left for later."""
    first = [file("/a"), file("/grew", 1), file("/touched", modified="1"), file("/gone"), file("/b.pdf.part")]
    second = [file("/a"), file("/grew", 2), file("/touched", modified="2"), file("/new"), file("/b.pdf.part")]
    assert settled(first, second) == [file("/a")]


def test_a_new_file_is_fetched() -> None:
    """What nobody knows yet is a document."""
    assert planned([file("/a")], [file("/a")], [], START) == Plan(fetch=[(file("/a"), None)])


def test_the_oldest_file_comes_first() -> None:
    """Documents of one name get their counters in the order in which they were deposited."""
    files = [file("/b", modified="3"), file("/a", modified="3"), file("/c", modified="2")]
    assert [found.path for found, _ in planned(files, files, [], START).fetch] == ["/c", "/a", "/b"]


def test_a_file_that_is_not_ready_is_neither_fetched_nor_gone() -> None:
    """A file that still grows keeps its document as it is."""
    assert planned([file("/a")], [], [document("/a", State.DISCOVERED)], START) == Plan()


def test_a_discovered_document_keeps_its_row() -> None:
    """A file that was discovered before is fetched as that document, once its pause is over."""
    known = document("/a", State.DISCOVERED, minutes=1)
    assert planned([file("/a")], [file("/a")], [known], START) == Plan()
    later = START + timedelta(minutes=1)
    due = Plan(fetch=[(file("/a"), known)])
    assert planned([file("/a")], [file("/a")], [known], later) == due
    assert planned([file("/a")], [file("/a")], [known], None) == due


def test_a_document_whose_file_is_gone_is_vanished_or_finished() -> None:
    """Gone before it was stored, it vanished; gone afterwards, its removal had succeeded; being placed, it goes on."""
    lost, done = document("/lost", State.DISCOVERED), document("/done", State.STORED)
    assert planned([], [], [lost, done, document("/p", State.PLACING)], START) == Plan(finished=[done], vanished=[lost])


def test_a_stored_document_is_only_removed() -> None:
    """A file that looks as it did when it was stored is not fetched again."""
    known = document("/a", State.STORED)
    assert planned([file("/a")], [file("/a")], [known], START) == Plan(remove=[(file("/a"), known)])


def test_a_name_that_was_used_again_is_another_document() -> None:
    """A file that differs from what was stored under its name is fetched as a document of its own."""
    known, now = document("/a", State.STORED), file("/a", modified="20261124094500")
    assert planned([now], [now], [known], START) == Plan(fetch=[(now, None)], finished=[known])


def test_a_document_that_is_still_being_placed_keeps_its_file() -> None:
    """Its folder cannot be reached: the file is not taken a second time."""
    assert planned([file("/a")], [file("/a")], [document("/a", State.PLACING)], START) == Plan()
