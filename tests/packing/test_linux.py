"""The packed uploader on Linux, run as a client runs it: without Python, with a screen, the mouse and a server."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from packed import Client, kit_for, press_upload, result_of
from processes import end, started
from screen import Screen
from waiting import still, until

pytestmark = [pytest.mark.display, pytest.mark.packed, pytest.mark.timeout(1800)]  # the first one builds


@pytest.fixture
def running(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The programs a test has started; each is ended, and none may have written a traceback."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        end(process)
    assert not list(tmp_path.glob("**/uploader.log"))


def start(program: Path, tmp_path: Path, *words: str | Path) -> subprocess.Popen[bytes]:
    """Start a packed program in an environment that knows no Python."""
    env = {"NAVETTE_DATA": str(tmp_path / "data"), "PATH": "/nowhere", "PYTHONPATH": "/nowhere", "PYTHONHOME": ""}
    return started([program, *words], tmp_path / "program.log", env, cwd=tmp_path)


@pytest.mark.parametrize("program", ["uploader/uploader", "uploader-portable"])
@pytest.mark.usefixtures("screen")
def test_the_self_test_opens_the_window_and_sends(
    linux_dist: Path, client: Client, tmp_path: Path, running: list[subprocess.Popen[bytes]], program: str
) -> None:
    """The folder and the one file both draw the window, take drops, send over FTPS with a hash, and say so in JSON."""
    result = tmp_path / "result.json"
    words = ["--selftest", "--result", result, "--ini", client.ini, "--folder", client.folder]
    running.append(start(linux_dist / program, tmp_path, *words))
    client.check_result(result_of(result, 120, lambda: running[0].poll() is None))
    assert running[0].wait(60) == 0


@pytest.mark.usefixtures("screen")
def test_an_error_in_the_window_fails_the_self_test(
    linux_dist: Path, client: Client, tmp_path: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    """A program that lacks a part of itself does not pass: its result names what is missing."""
    broken = tmp_path / "broken"
    shutil.copytree(linux_dist / "uploader", broken)
    shutil.rmtree(broken / "_internal" / "PIL")
    result = tmp_path / "result.json"
    running.append(start(broken / "uploader", tmp_path, "--selftest", "--result", result, "--ini", client.ini))
    told = result_of(result, 120, lambda: running[0].poll() is None)
    assert running[0].wait(60) == told["code"] != 0
    assert "PIL" in str(told["errors"])
    assert len(client.seen()) == 3
    (tmp_path / "data" / "uploader.log").unlink()


def test_a_kit_is_unpacked_double_clicked_and_sends(
    linux_dist: Path, screen: Screen, client: Client, tmp_path: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    """The program of a kit finds the INI beside it; a click sends all, and a file goes only once the server has it."""
    kit = kit_for(client, linux_dist / "uploader", str(client.folder))
    subprocess.run(["unzip", "-q", kit], cwd=tmp_path, check=True)
    running.append(start(tmp_path / kit.stem / "uploader", tmp_path))
    window = press_upload(screen)
    client.watch_all_go()
    screen.focus(window)
    screen.key("alt+F4")
    assert running[0].wait(60) == 0


def test_documents_stay_while_the_server_cannot_store_them(
    linux_dist: Path, screen: Screen, client: Client, tmp_path: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    """A server that dies with the bytes, but before there is a receipt, costs no document."""
    client.server.stop()
    client.server.start(kill_at="server.synced")
    running.append(
        start(linux_dist / "uploader" / "uploader", tmp_path, "--ini", client.ini, "--folder", client.folder)
    )
    press_upload(screen)
    until(lambda: not client.server.running, 60, "the server to die")
    seen = still(lambda: sorted(entry.name for entry in os.scandir(client.folder)))
    assert until(seen) == sorted(client.sent)
    assert running[0].poll() is None


def test_the_licences_name_all_that_is_packed(linux_dist: Path) -> None:
    """What others made is named with its terms, as they ask, and nothing is packed that is not named."""
    inside = linux_dist / "uploader" / "_internal"
    told = (inside / "licences.txt").read_text(encoding="utf-8").lower()
    named = {"_tcl_data": "tcl", "_tk_data": "tk", "base_library": "python", "python3": "python", "pil": "pillow"}
    packed = {entry.name.partition(".")[0].partition("-")[0].lower() for entry in inside.iterdir()}
    others = {name for name in packed if not name.startswith("lib")} - {"transfer", "uploader", "licences"}
    assert [name for name in others if named.get(name, name).replace("_", "-") not in told] == []
    assert {name for name in packed if name.startswith(("libreadline", "libgdbm"))} == set()  # GPL
