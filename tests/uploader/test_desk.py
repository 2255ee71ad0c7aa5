"""What the window shows, driven without a window: folder, drops, uploads, watching."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stock_server import client_ini
from waiting import until

from transfer.client_ini import AfterUpload, ClientIni
from uploader.desk import Desk
from uploader.events import Finished
from uploader.folder import Folder, LocalFile
from uploader.history import History
from uploader.rows import State


@pytest.fixture
def desk(tmp_path: Path, plain_server: Any) -> Iterator[Callable[..., Desk]]:
    """Make a desk over a stock server, with a history in the test's own folder."""
    history = History(tmp_path / "user")
    made: list[Desk] = []
    server = plain_server()

    def make(now: Callable[[], float] = time.time, patience: float = 10, **changes: Any) -> Desk:
        ini: ClientIni = replace(client_ini(server.connection()), **changes)
        made.append(Desk(ini, tmp_path / "envoi.ini", history, tmp_path / "program", now=now, patience=patience))
        return made[-1]

    yield make
    for one in made:
        one.close()
    history.close()


def put(folder: Path, name: str = "a.pdf", content: bytes = b"a") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (time.time() - 60,) * 2)
    return path


def end_of(desk: Desk) -> Finished:
    return until(lambda: desk.poll().finished, what="the upload to end")  # type: ignore[return-value]


def test_chosen_files_are_sent_and_shown_as_received(desk: Any, tmp_path: Path) -> None:
    """An upload started here ends with its rows received, and the history knows them afterwards."""
    put(tmp_path / "docs")
    here = desk()
    here.choose(tmp_path / "docs")
    here.start(here.rows.chosen())
    assert here.running
    assert end_of(here).sent == 1
    assert not here.running
    assert [row.state for row in here.rows] == [State.RECEIVED]


def test_new_files_show_up_by_themselves(desk: Any, tmp_path: Path) -> None:
    """A file that is put into the folder is listed without asking."""
    (tmp_path / "docs").mkdir()
    here = desk()
    here.choose(tmp_path / "docs")
    assert len(here.rows) == 0
    put(tmp_path / "docs", "new.pdf")
    until(lambda: here.poll().listed, seconds=3, what="the watch to notice the file")
    assert [row.path.name for row in here.rows] == ["new.pdf"]


def test_dropped_files_join_the_list(desk: Any, tmp_path: Path) -> None:
    """Files dropped from elsewhere are listed with those of the folder, and sent from where they are."""
    put(tmp_path / "docs")
    elsewhere = put(tmp_path / "desktop", "relevé {x} 50% [1].pdf")
    here = desk()
    here.choose(tmp_path / "docs")
    here.add([elsewhere])
    assert len(here.rows.chosen()) == 2
    here.start(here.rows.chosen())
    assert end_of(here).sent == 2
    assert not elsewhere.exists()


def test_a_dropped_file_that_is_still_written_becomes_ready(desk: Any, tmp_path: Path) -> None:
    """A file dropped while its program still writes it can be ticked once it stands still, and goes when it goes."""
    (tmp_path / "desktop").mkdir()
    fresh = tmp_path / "desktop" / "fresh.pdf"
    fresh.write_bytes(b"fresh")
    moment = [time.time()]
    here = desk(now=lambda: moment[0])
    here.add([fresh])
    assert [row.state for row in here.rows] == [State.WRITING]
    moment[0] += 4
    assert here.look()
    assert [row.state for row in here.rows] == [State.READY]
    fresh.unlink()
    assert here.look()
    assert len(here.rows) == 0


def test_the_folder_is_remembered_for_its_dossier_only(desk: Any, tmp_path: Path) -> None:
    """A client with two dossiers is never offered the folder of one for the other."""
    (tmp_path / "docs").mkdir()
    desk().choose(tmp_path / "docs")
    assert desk().last_folder() == str(tmp_path / "docs")
    assert desk(remote_folder="/000999").last_folder() == ""


def test_removal_is_announced_once(desk: Any) -> None:
    """Until the person wants no more questions, each upload that removes files asks; keeping never does."""
    here = desk()
    assert here.must_confirm
    here.confirmed()
    assert not desk().must_confirm
    assert desk(after_upload=AfterUpload.RECYCLE).must_confirm
    assert not desk(after_upload=AfterUpload.KEEP).must_confirm


def test_a_watched_folder_sends_what_is_new_and_rests_after_trouble(desk: Any, tmp_path: Path) -> None:
    """With ``watch``, fresh files are due at once; those that failed are not, and a stopped upload makes a pause."""
    put(tmp_path / "docs")
    here = desk(watch=True)
    here.choose(tmp_path / "docs")
    assert [row.path.name for row in here.due()] == ["a.pdf"]
    here.rest()
    assert here.due() == []
    unasked = desk()
    unasked.choose(tmp_path / "docs")
    assert unasked.due() == []


def test_a_folder_that_goes_away_is_told_and_comes_back(desk: Any, tmp_path: Path) -> None:
    """A network drive that is gone shows as a failure, not as an empty folder, until it is there again."""
    path = put(tmp_path / "docs")
    here = desk()
    here.choose(tmp_path / "docs")
    path.parent.rename(tmp_path / "moved")
    assert here.look()
    assert here.folder_failure is not None
    assert here.folder_failure.code == "folder.missing"
    (tmp_path / "moved").rename(tmp_path / "docs")
    assert here.look()
    assert here.folder_failure is None
    assert len(here.rows) == 1


def test_failures_of_an_upload_are_kept_for_the_end(desk: Any, tmp_path: Path) -> None:
    """What went wrong is still known when the rows have moved on."""
    path = put(tmp_path / "docs")
    here = desk()
    here.choose(tmp_path / "docs")
    chosen = here.rows.chosen()
    path.unlink()
    here.start(chosen)
    assert end_of(here).failed == 1
    assert [failure.code for failure in here.failures] == ["upload.vanished"]


def test_a_renamed_copy_of_a_sent_file_is_recognised(desk: Any, tmp_path: Path) -> None:
    """A file counts as sent by its bytes: under another name and date it is shown as sent, and does not go again."""
    put(tmp_path / "docs", "a.pdf", b"the same bytes")
    here = desk(watch=True)
    here.choose(tmp_path / "docs")
    here.start(here.due())
    assert end_of(here).sent == 1
    put(tmp_path / "docs", "copy.pdf", b"the same bytes")
    put(tmp_path / "docs", "other.pdf", b"other bytes...")
    here.look()

    def states() -> dict[str, tuple[State, bool]]:
        here.poll()
        return {row.path.name: (row.state, row.ticked) for row in here.rows}

    until(lambda: states().get("copy.pdf") == (State.SENT_BEFORE, False), what="the copy to be recognised")
    until(lambda: states()["other.pdf"] == (State.READY, True), what="the other file to be new")
    assert [row.path.name for row in here.due()] == ["other.pdf"]


def test_watching_is_chosen_by_the_person_unless_the_firm_fixed_it(desk: Any) -> None:
    """The box is remembered and goes before the INI, but not before a locked key."""
    here = desk(watch=False)
    assert not here.watching
    here.watch(True)
    assert desk(watch=False).watching
    assert not desk(watch=False, locked=frozenset({"watch"})).watching


def test_a_slow_drive_does_not_keep_the_window_waiting(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a folder is being read the desk says so; what it holds comes with a later poll."""
    put(tmp_path / "docs")
    drive = threading.Event()
    read = Folder.look

    def slowly(folder: Folder, now: float) -> list[LocalFile]:
        drive.wait(10)
        return read(folder, now)

    monkeypatch.setattr(Folder, "look", slowly)
    here = desk(patience=0.01)
    here.choose(tmp_path / "docs")
    assert here.reading
    assert len(here.rows) == 0
    drive.set()
    until(lambda: here.poll().listed, what="the drive to answer")
    assert [row.path.name for row in here.rows] == ["a.pdf"]


def test_the_received_rows_make_room_for_the_next_upload(desk: Any, tmp_path: Path) -> None:
    """What arrived stays in the list until the next upload begins; the history has it then."""
    put(tmp_path / "docs")
    here = desk()
    here.choose(tmp_path / "docs")
    here.start(here.rows.chosen())
    end_of(here)
    assert [row.state for row in here.rows] == [State.RECEIVED]
    put(tmp_path / "docs", "b.pdf", b"b")
    until(lambda: here.poll() and here.rows.chosen(), what="the new file to be ready")
    here.start(here.rows.chosen())
    assert [row.path.name for row in here.rows] == ["b.pdf"]
    end_of(here)
    assert [Path(line.path).name for line in here.sent.lines()] == ["b.pdf", "a.pdf"]
    assert here.sent_here == 2
