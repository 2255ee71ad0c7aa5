"""The real window on a real screen, used with the mouse and the keyboard as a client does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
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

    def title(self) -> str:
        ask = ["xdotool", "getwindowname", self.number]
        return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()

    def brightness(self) -> float:
        """Return how bright the window is, from 0 to 1."""
        grey = self.picture()
        return sum(grey) / len(grey) / 255

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


def test_what_was_sent_can_be_put_back_by_keyboard(navette_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """In the list of what was sent, Alt with its letter brings the kept copy back; the server tells its receipts."""
    connection = navette_server.connection("WRITE_570013")
    ini = write_ini(tmp_path / "envoi.ini", connection, "/000204", after_upload="keep", language="en")
    window = shown("--ini", ini, "--folder", docs)
    window.key("Return")
    until(lambda: window.title().startswith("✓ 3 · "), what="the upload to end")
    assert names(docs) == ["Sent"]
    window.key("ctrl+2")
    target = f"WRITE_570013@127.0.0.1:{navette_server.port}/000204"
    with closing(History(tmp_path / "user")) as history:
        until(lambda: all(line.received_at for line in history.latest(target, 9)), what="the receipts to be told")
        window.key("alt+p")
        until(lambda: len(names(docs)) == 2, what="one file to be put back")
        back = next(name for name in names(docs) if name != "Sent")
        assert (docs / back).read_bytes() == back.encode() * 1000
        window.key("ctrl+1")
        window.key("Return")
        stays = until(still(lambda: names(docs), 1), what="the folder to stand still")
        assert stays == sorted([back, "Sent"])  # it still counts as sent, so it is not ticked
        assert len(history.latest(target, 9)) == 3


def test_a_watched_folder_sends_by_itself(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """The box is ticked with Alt; from then on what is there goes, what comes goes, and the title counts it."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204", after_upload="keep", language="en")
    window = shown("--ini", ini, "--folder", docs)
    window.key("alt+s")
    until(lambda: len(server.holds()) == 3, what="the files of the folder to be sent")
    subprocess.run(["xdotool", "windowminimize", window.number], check=True)
    (docs / "scan.pdf").write_bytes(b"fresh")
    until(lambda: "scan.pdf" in server.holds(), what="the new file to be sent")
    until(lambda: window.title().startswith("✓ 4 · Boulangerie Dupont"), what="the title to count")
    end(window.process)
    again = shown("--ini", ini, "--folder", docs)
    (docs / "later.pdf").write_bytes(b"later")
    until(lambda: "later.pdf" in server.holds(), what="the remembered watch to send")
    assert again.close() == 0


def test_a_second_start_brings_the_first_to_the_front(
    plain_server: Any, shown: Any, docs: Path, tmp_path: Path
) -> None:
    """For one dossier there is one window: another start shows that one and ends; another dossier has its own."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    other = write_ini(tmp_path / "other.ini", server.connection(), "/000999", dossier="000999")
    first = shown("--ini", ini, "--folder", docs)
    subprocess.run(["xdotool", "windowminimize", first.number], check=True)
    command = [sys.executable, "-m", "uploader", "--ini", str(ini)]
    second = started(command, tmp_path / "second.log", {"NAVETTE_DATA": str(tmp_path / "user")}, cwd=ROOT)
    assert second.wait(20) == 0
    active = ["xdotool", "getactivewindow"]
    until(
        lambda: subprocess.run(active, capture_output=True, text=True, check=False).stdout.strip() == first.number,
        what="the first window to come to the front",
    )
    third = started(
        [*command[:-1], str(other)], tmp_path / "third.log", {"NAVETTE_DATA": str(tmp_path / "user")}, cwd=ROOT
    )
    search = ["xdotool", "search", "--onlyvisible", "--pid", str(third.pid), "--name", "Boulangerie"]
    until(lambda: subprocess.run(search, capture_output=True, text=True, check=False).stdout, what="the other dossier")
    end(third)


def test_the_window_turns_dark_and_remembers_it(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """The button in the corner turns the whole window dark, and the next start is dark from its first moment."""
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/000204")
    window = shown("--ini", ini, "--folder", docs)
    assert window.brightness() > 0.8
    window.click_from_corner(-35, 30)
    until(lambda: window.brightness() < 0.3, what="the window to turn dark")
    assert window.close() == 0
    again = shown("--ini", ini, "--folder", docs)
    assert again.brightness() < 0.3
    assert again.close() == 0


def test_failed_files_are_shown_and_sent_again(plain_server: Any, shown: Any, docs: Path, tmp_path: Path) -> None:
    """What failed is listed apart; once its cause is gone, Upload in that list sends only that."""
    refused = {"STOR"}
    server = plain_server(refused=refused)
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204", after_upload="keep", language="en")
    window = shown("--ini", ini, "--folder", docs)
    window.key("Return")
    until(lambda: "STOR" in server.commands, what="the first file to be refused")
    until(still(lambda: len(server.commands)), what="all files to be refused")
    assert len(names(docs)) == 3
    refused.clear()
    (docs / "new.pdf").write_bytes(b"new")
    os.utime(docs / "new.pdf", (time.time() - 60,) * 2)
    window.key("F5", "ctrl+3")
    window.key("Return")
    until(lambda: names(docs) == ["Sent", "new.pdf"], what="what failed to be sent")
    assert sorted(server.holds()) == ["a.pdf", "b.pdf", "c.pdf"]
