"""The real window on a real screen, used with the mouse and the keyboard as a client does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ini_files import write_ini
from processes import end, started
from screen import Screen
from waiting import still, until

from uploader.history import History

pytestmark = pytest.mark.display

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Shown:
    """A running uploader and its window."""

    screen: Screen
    process: subprocess.Popen[bytes]
    number: str
    log: Path

    def picture(self) -> bytes:
        draw = ["import", "-silent", "-window", self.number, "-depth", "8", "gray:-"]
        return subprocess.run(draw, capture_output=True, check=True).stdout

    def key(self, *keys: str) -> None:
        self.focus(self.number)
        self.screen.key(*keys)

    def answer(self, *keys: str) -> None:
        """Press keys in the question that lies over the window."""
        question = until(self.others, what="the question to appear")[0]
        self.focus(question)
        self.screen.key(*keys)

    def others(self) -> list[str]:
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid), "--name", "^Navette$"]
        return subprocess.run(search, capture_output=True, text=True, check=False).stdout.split()

    def focus(self, number: str) -> None:
        subprocess.run(["xdotool", "windowactivate", "--sync", number], check=True, capture_output=True)

    def click_from_corner(self, x: int, y: int) -> None:
        """Click at a point counted from the right and bottom edges when negative."""
        _, _, width, height = self.screen.place(self.number)
        self.screen.click(x if x >= 0 else width + x, y if y >= 0 else height + y, self.number)

    def close(self) -> int:
        """Close the window as its frame's button does, and return the program's exit code."""
        self.focus(self.number)
        self.screen.key("alt+F4")
        return self.process.wait(10)


@pytest.fixture
def shown(screen: Screen, tmp_path: Path) -> Iterator[Callable[..., Shown]]:
    """Open uploaders on the screen; no one may end with a traceback."""
    open_now: list[Shown] = []
    user = tmp_path / "user"

    def show(*words: str | Path, title: str = "Boulangerie Dupont") -> Shown:
        log = tmp_path / "window.log"
        command = [sys.executable, "-m", "uploader", *words]
        process = started(command, log, {"NAVETTE_DATA": str(user)}, cwd=ROOT)
        open_now.append(Shown(screen, process, "", log))
        open_now[-1].number = screen.window(title)
        drawn = still(open_now[-1].picture, 0.25)
        until(lambda: len(set(drawn() or b"")) > 2, what="the window to be drawn")
        return open_now[-1]

    yield show
    for one in open_now:
        end(one.process)
        assert "Traceback" not in one.log.read_text()
    assert not (user / "uploader.log").exists()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """The client's folder, with three documents that stand still since long."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for n, name in enumerate(("a.pdf", "b.pdf", "c.pdf")):
        (folder / name).write_bytes(name.encode() * 1000)
        os.utime(folder / name, (time.time() - 60 - n,) * 2)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_click_on_upload_sends_all_that_is_ticked(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """One file unticked by the mouse, then Upload and yes: the others are sent and leave the folder."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204", language="fr")
    window = shown("--ini", ini, "--folder", docs)
    window.click_from_corner(38, 220)
    window.click_from_corner(-60, -40)
    window.answer("Return")
    until(lambda: names(docs) == ["a.pdf"], what="two files to be sent")
    assert sorted(server.holds()) == ["b.pdf", "c.pdf"]


def test_the_keyboard_alone_is_enough(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """Down and Space untick a row, Tab reaches Upload, Space presses it, and Escape says no to the question."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204", language="nl")
    window = shown("--ini", ini, "--folder", docs)
    window.key("Down", "space", "Tab", "Tab", "space")
    window.answer("Escape")
    until(lambda: not window.others(), what="the question to go")
    assert len(names(docs)) == 3
    window.key("Return")
    window.answer("shift+Tab", "shift+Tab", "space", "Return")
    until(lambda: names(docs) == ["b.pdf"], what="two files to be sent")
    assert sorted(server.holds()) == ["a.pdf", "c.pdf"]
    history = History(tmp_path / "user")
    told = history.setting("told delete")
    history.close()
    assert told == "yes"


def test_a_new_scan_is_listed_ticked_and_sent(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """A file that arrives while the window is open is sent with the next Upload once it stands still."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204", after_upload="keep")
    window = shown("--ini", ini, "--folder", docs)
    (docs / "scan.pdf").write_bytes(b"fresh")
    window.key("F5")
    window.key("Return")
    until(lambda: len(server.holds()) == 3, what="the finished files to be sent")
    assert (docs / "scan.pdf").exists()

    def sent() -> bool:
        window.key("Return")
        return "scan.pdf" in server.holds()

    until(sent, what="the fresh file to be sent")
    until(lambda: names(docs) == ["Envoyés"], what="all files to be kept apart")


def test_escape_stops_after_the_files_under_way(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """Cancel finishes what is being sent and leaves the rest; the window can then send again."""
    server = plain_server()
    for n in range(30):
        (docs / f"{n}.pdf").write_bytes(os.urandom(2_000_000))
        os.utime(docs / f"{n}.pdf", (time.time() - 60,) * 2)
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204", after_upload="keep")
    window = shown("--ini", ini, "--folder", docs)
    window.key("Return")
    until(server.holds, what="the first file to arrive")
    window.key("Escape")
    left = until(still(lambda: sorted(server.holds())), what="the upload to stop")
    assert 0 < len(left) < 33
    assert all(not name.endswith(".part") for name in left)
    window.key("Return")
    until(lambda: len(server.holds()) == 33, what="the others to be sent")


def test_a_wrong_password_is_said_and_nothing_is_touched(
    plain_server: Any, shown: Any, docs: Path, tmp_path: Path
) -> None:
    """A refused login leaves a working window with all files in place, ready for another INI."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", replace(server.connection(), password="wrong"), "/", after_upload="keep")
    window = shown("--ini", ini, "--folder", docs)
    window.key("Return")
    until(lambda: "PASS" in server.commands, what="the login to be tried")
    assert len(names(docs)) == 3
    assert window.close() == 0
    assert server.commands.count("PASS") == 1


@pytest.mark.parametrize("text", ["[ftp]\nhost\n", "\0\0", "[ftp]\r\nhost = x\r\n"])
def test_a_damaged_ini_shows_a_page_with_a_way_out(shown: Any, tmp_path: Path, text: str) -> None:
    """A damaged INI never stops the window from opening; it can be repaired and tried again, or the window left."""
    ini = tmp_path / "envoi.ini"
    ini.write_text(text)
    window = shown("--ini", ini, title="Navette")
    window.key("Tab", "Tab", "Tab", "space")
    assert window.process.wait(10) == 0


def test_a_repaired_ini_opens_the_page(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """After the INI was put right, trying again leads to the list."""
    ini = tmp_path / "envoi.ini"
    window = shown("--ini", ini, "--folder", docs, title="Navette")
    write_ini(ini, plain_server().connection(), "/000204")
    window.key("Tab", "space")
    window.screen.window("Boulangerie Dupont")


def test_language_and_folder_are_remembered(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """What the person chose is there at the next start, kept in the user's own folder and not in the INI."""
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/000204", language="fr")
    written = ini.read_bytes()
    window = shown("--ini", ini, "--folder", docs)
    window.click_from_corner(-78, 30)
    history = History(tmp_path / "user")
    until(lambda: history.setting("language") == "en", what="the language to be remembered")
    assert window.close() == 0
    assert any(str(docs) == line for line in folders(history))
    history.close()
    assert ini.read_bytes() == written


def folders(history: History) -> list[str]:
    rows = history._file.database.execute("SELECT value FROM setting WHERE name LIKE 'folder %'").fetchall()
    return [row[0] for row in rows]


def test_ten_thousand_files_are_shown(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """A full folder does not keep the window from opening and answering."""
    for n in range(10_000):
        (docs / f"{n:05}.pdf").touch()
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/000204")
    began = time.monotonic()
    window = shown("--ini", ini, "--folder", docs)
    assert window.close() == 0
    assert time.monotonic() - began < 20
