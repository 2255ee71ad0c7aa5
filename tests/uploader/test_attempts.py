"""Which files of a watched folder are tried, and when they are tried again."""

from pathlib import Path

from transfer.failures import PermanentFailure
from transfer.fingerprints import Fingerprint
from transfer.receipts import confirm
from uploader.attempts import Attempts
from uploader.events import Failed, Fate, Sent
from uploader.folder import LocalFile

A = Path("/docs/a.pdf")


def file(mtime_ns: int = 1, ready: bool = True) -> LocalFile:
    return LocalFile(A, 10, mtime_ns, ready)


def failed(code: str = "receipt.size_differs") -> Failed:
    return Failed(A, PermanentFailure(code, file="a.pdf"))


def test_a_file_that_fails_comes_again_later_and_later() -> None:
    """After a minute, then three, then nine, never more than a quarter of an hour."""
    attempts, now, waited = Attempts(), 0.0, []
    for _ in range(5):
        assert attempts.due([file()], now) == [file()]
        attempts.note(failed(), now)
        began = now
        while not attempts.due([file()], now):
            now += 1
        waited.append(now - began)
    assert waited == [60, 180, 540, 900, 900]


def test_a_changed_file_is_tried_at_once() -> None:
    """A new version has not failed yet."""
    attempts = Attempts()
    attempts.due([file()], 0)
    attempts.note(failed(), 0)
    assert attempts.due([file()], 1) == []
    assert attempts.due([file(mtime_ns=2)], 1) == [file(mtime_ns=2)]


def test_a_file_that_arrived_but_stayed_is_left_alone() -> None:
    """What a protected folder does not let go is neither sent nor told again and again."""
    attempts = Attempts()
    attempts.due([file()], 0)
    receipt = confirm(str(A), Fingerprint(10, "ab"), Fingerprint(10, "ab"), "/a.pdf")
    attempts.note(Sent(A, receipt, Fate.SENT, trouble=PermanentFailure("local.not_removed", file="a.pdf")), 0)
    assert attempts.due([file()], 1e9) == []


def test_cancelled_and_unfinished_files() -> None:
    """A file that was only cancelled is due again; one that is still being written is not."""
    attempts = Attempts()
    attempts.due([file()], 0)
    attempts.note(failed("upload.cancelled"), 0)
    assert attempts.due([file()], 0) == [file()]
    assert attempts.due([file(ready=False)], 0) == []
