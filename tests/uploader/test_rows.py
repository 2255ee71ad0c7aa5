"""The rows of the list: what is ticked by itself, what may be ticked, and what an upload makes of them."""

from pathlib import Path

import pytest

from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint
from transfer.language import LANGUAGES, Language
from transfer.receipts import confirm
from uploader import wording
from uploader.events import Failed, Fate, Pausing, Progress, Sent, Started
from uploader.folder import LocalFile
from uploader.history import version_key
from uploader.rows import Row, Rows, State

A, B, C = Path("/docs/a.pdf"), Path("/docs/b.pdf"), Path("/docs/c.pdf")


def file(path: Path, size: int = 10, mtime_ns: int = 1, ready: bool = True) -> LocalFile:
    return LocalFile(path, size, mtime_ns, ready)


def states(rows: Rows) -> dict[str, tuple[State, bool]]:
    return {row.path.name: (row.state, row.ticked) for row in rows}


def test_new_files_are_ticked_and_old_or_unfinished_ones_are_not() -> None:
    """A file never sent comes ticked; one sent before or still being written does not, and the latter cannot be."""
    rows = Rows()
    rows.refresh([file(A), file(B), file(C, ready=False)], {version_key(B, 10, 1)})
    assert states(rows) == {
        "a.pdf": (State.READY, True),
        "b.pdf": (State.SENT_BEFORE, False),
        "c.pdf": (State.WRITING, False),
    }
    for path in (B, C):
        rows.toggle(path)
    assert [row.path for row in rows.chosen()] == [A, B]


def test_a_file_that_is_finished_becomes_ticked() -> None:
    """The tick comes by itself when the scanner has finished, and goes when it writes again."""
    rows = Rows()
    rows.refresh([file(A, ready=False)], set())
    assert rows.refresh([file(A)], set())
    assert states(rows)["a.pdf"] == (State.READY, True)
    assert rows.refresh([file(A, ready=False)], set())
    assert states(rows)["a.pdf"] == (State.WRITING, False)


def test_what_a_person_unticked_stays_unticked() -> None:
    """Looking again at an unchanged folder changes nothing, and says so."""
    rows = Rows()
    rows.refresh([file(A), file(B)], set())
    rows.toggle(A)
    assert not rows.refresh([file(A), file(B)], set())
    assert [row.path for row in rows.chosen()] == [B]


def test_rows_follow_an_upload() -> None:
    """Each event shows in its row; received files stay listed although they left the folder."""
    rows = Rows()
    rows.refresh([file(A), file(B)], set())
    rows.begin(rows.chosen())
    rows.apply(Started(A, 10))
    rows.apply(Progress(A, 5))
    assert rows.progress() == (0, 2, 5, 20)
    rows.apply(Sent(A, confirm(str(A), Fingerprint(10, "ab"), Fingerprint(10, None), "/a.pdf"), Fate.REMOVED))
    rows.apply(Failed(B, PermanentFailure("upload.unreadable", file="b.pdf")))
    rows.finish()
    assert rows.progress()[:2] == (2, 2)
    assert not rows.refresh([file(B)], set())
    assert {row.path: row.state for row in rows} == {A: State.RECEIVED, B: State.FAILED}
    assert [row.path for row in rows.failed()] == [B]


def test_a_new_scan_under_the_name_of_a_received_file_is_a_new_file() -> None:
    """A scanner that uses the same name again gets its new file listed, ticked."""
    rows = Rows()
    rows.refresh([file(A)], set())
    rows.begin(rows.chosen())
    rows.apply(Sent(A, confirm(str(A), Fingerprint(10, "ab"), Fingerprint(10, None), "/a.pdf"), Fate.REMOVED))
    rows.refresh([file(A, mtime_ns=2)], {version_key(A, 10, 1)})
    assert states(rows)["a.pdf"] == (State.READY, True)


def test_files_that_were_never_tried_are_given_back() -> None:
    """When an upload is cancelled, or stopped as a whole, its files can be sent again without a failure beside them."""
    refused = PermanentFailure("session.login_refused", user="x", host="h", port=21)
    rows = Rows()
    rows.refresh([file(A), file(B), file(C)], set())
    rows.begin(rows.chosen())
    rows.apply(Failed(A, refused))
    rows.apply(Failed(B, PermanentFailure("upload.cancelled", file="b.pdf")))
    rows.finish(refused)
    assert {state for state, _ in states(rows).values()} == {State.READY}
    assert len(rows.chosen()) == 3


def test_tick_all_leaves_files_sent_before_alone() -> None:
    """One press never sends again what was sent."""
    rows = Rows()
    rows.refresh([file(A), file(B)], {version_key(B, 10, 1)})
    rows.tick_all(False)
    assert rows.chosen() == []
    rows.tick_all(True)
    assert [row.path for row in rows.chosen()] == [A]
    assert rows.all_ticked()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_state_has_its_words(code: str) -> None:
    """No row shows the key of a text instead of the text."""
    language = Language(code, "uploader")
    fates = set(Fate) - {Fate.RESTORED}  # that comes after an upload
    rows = [Row(A, 10, 1, state, ticked=False, fate=fate) for state in State for fate in fates]
    words = {wording.state(language, row) for row in rows}
    assert not {word for word in words if "." in word}
    assert len(words) == len(State) - 1 + len(fates)


@pytest.mark.parametrize(
    ("count", "french", "english"),
    [
        (0, "0\xa0o", "0\xa0B"),
        (999, "999\xa0o", "999\xa0B"),
        (1_234, "1,2\xa0Ko", "1.2\xa0kB"),
        (999_600, "1,0\xa0Mo", "1.0\xa0MB"),
        (123_456_789, "123\xa0Mo", "123\xa0MB"),
        (5_000_000_000_000, "5000\xa0Go", "5000\xa0GB"),
    ],
)
def test_sizes_are_written_as_each_language_does(count: int, french: str, english: str) -> None:
    """Three figures at most, a decimal comma in French, and the language's own units."""
    assert wording.size(Language("fr", "uploader"), count) == french
    assert wording.size(Language("en", "uploader"), count) == english


def test_durations_get_coarser_as_they_get_longer() -> None:
    """Seconds, then whole minutes rounded up, then hours."""
    french = Language("fr", "uploader")
    told = [wording.duration(french, seconds).replace("\xa0", " ") for seconds in (0, 59, 61, 3_599, 7_500)]
    assert told == ["1 s", "59 s", "2 min", "60 min", "2 h 05"]


def test_a_pause_says_how_long() -> None:
    """A file that will be tried again says in how many seconds."""
    rows = Rows()
    rows.refresh([file(A)], set())
    rows.begin(rows.chosen())
    rows.apply(Pausing(A, PermanentFailure("session.busy"), 15.0))
    (row,) = rows
    assert "15 s" in wording.state(Language("nl", "uploader"), row)
