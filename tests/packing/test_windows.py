"""The programs for Windows, built and run under Wine on a PC that has no Python; never taken for a proof of Windows."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from navette_server import ROOT, NavetteServer
from packed import Client, client_of, kit_for, press_upload, result_of
from screen import Screen
from waiting import until
from windows_pc import WindowsPc

pytestmark = [pytest.mark.display, pytest.mark.packed, pytest.mark.timeout(1800)]  # the first one builds

KEY = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Navette"
SHORTCUTS = ("Desktop", "AppData/Roaming/Microsoft/Windows/Start Menu/Programs")
HOLD = """
import _winapi, pathlib, sys, time
path, free = map(pathlib.Path, sys.argv[1:3])
handle = _winapi.CreateFile(str(path), 0x40000000, int(sys.argv[3]), 0, 3, 0, 0)
free.with_name("held").touch()
while not free.exists():
    time.sleep(0.05)
_winapi.CloseHandle(handle)
"""
"""A scanner's program: it has a document open for writing until a file says that it is done."""


@pytest.fixture
def client(navette_server: NavetteServer, at_home: Path) -> Client:
    """A client whose documents lie on the Windows PC."""
    return client_of(navette_server, at_home / "client")


@pytest.fixture
def folder(windows_dist: Path, at_home: Path) -> Path:
    """What is built, on the PC's own disk."""
    shutil.copytree(windows_dist, at_home / "dist")
    return at_home / "dist"


@pytest.mark.parametrize("program", ["uploader/uploader.exe", "uploader-portable.exe"])
def test_the_self_test_opens_the_window_and_sends(
    pc: WindowsPc, folder: Path, client: Client, at_home: Path, program: str
) -> None:
    """The folder and the one file both draw the window, take drops, send over FTPS with a hash, and say so in JSON."""
    result = at_home / "result.json"
    words = ["--selftest", "--result", result, "--ini", client.ini, "--folder", client.folder]
    code, _ = pc.run(folder / program, *words, NAVETTE_DATA=pc.path(at_home / "data"))
    assert code == 0
    told = result_of(result, 5, pc.running)
    client.check_result(told)
    assert told["python"].startswith("3.11.")


@pytest.mark.parametrize("program", ["uploader", "uploader-portable.exe"])
def test_a_kit_is_unpacked_double_clicked_and_sends(
    pc: WindowsPc, windows_dist: Path, client: Client, screen: Screen, program: str
) -> None:
    """Opened as Explorer opens it, the program finds the INI beside it, and a file goes only once the server has it."""
    kit = kit_for(client, windows_dist / program, pc.path(client.folder))
    shutil.unpack_archive(kit, kit.parent)
    unpacked = kit.parent / kit.stem
    assert (unpacked / "LISEZ-MOI.html").exists()
    opened = next(unpacked.glob("*.exe"))
    assert pc.run("start", opened, NAVETTE_DATA=pc.path(kit.parent / "data"))[0] == 0
    window = press_upload(screen)
    client.watch_all_go()
    screen.focus(window)
    screen.key("alt+F4")
    pc.wait_until_idle()
    assert not (kit.parent / "data" / "uploader.log").exists()


@pytest.mark.parametrize("shared", ["0", "3"], ids=["with nobody", "with all"])
def test_a_document_that_a_scanner_holds_open_is_waited_for(
    pc: WindowsPc, folder: Path, client: Client, at_home: Path, shared: str
) -> None:
    """What a scanner still writes stays, even if it could be read; once it is closed it is sent."""
    held, free = client.folder / "z.pdf", at_home / "free"
    (at_home / "hold.py").write_text(HOLD, encoding="utf-8")
    python = ROOT / "build" / "windows" / "prefix" / "drive_c" / "Python311" / "python.exe"
    with pc.start(python, at_home / "hold.py", held, free, shared) as scanner:
        until((at_home / "held").exists, 60, "the scanner to hold its document")
        words = ["--silent", "--json", "--ini", client.ini, "--folder", client.folder]
        with pc.start(folder / "uploader" / "uploader.exe", *words, NAVETTE_DATA=pc.path(at_home / "data")) as uploader:
            until(lambda: client.seen() == {held.name}, 90, "the other documents to be sent")
            assert uploader.poll() is None
            free.touch()
            told, _ = uploader.communicate(timeout=180)
    assert uploader.returncode == scanner.returncode == 0
    assert b'"event": "pausing", "code": "upload.unreadable"' in told
    assert client.seen() == set()


def test_the_setup_installs_replaces_and_removes(
    pc: WindowsPc, folder: Path, client: Client, screen: Screen, at_home: Path
) -> None:
    """Silently, for one user: program, INI, shortcut; again over itself; not over what runs; and gone when removed."""
    setup, program = folder / "navette-setup.exe", pc.home / "AppData/Local/Programs/Navette"
    shutil.copy(client.ini, folder / "envoi.ini")
    for _ in range(2):
        assert pc.run(setup, "/S") == (0, "")
    assert (program / "envoi.ini").read_bytes() == client.ini.read_bytes()
    assert signer_of(program / "uninstall.exe") == signer_of(program / "uploader.exe") == "Navette test"
    assert "uploader.exe" in pc.registered(KEY)
    shortcuts = [pc.home / folder / "Navette.lnk" for folder in SHORTCUTS]
    assert all(shortcut.exists() for shortcut in shortcuts)
    result = at_home / "result.json"
    words = ["--selftest", "--result", result, "--folder", client.folder]
    assert pc.run(program / "uploader.exe", *words)[0] == 0
    client.check_result(result_of(result, 5, pc.running))

    with pc.start(program / "uploader.exe") as shown:
        window = screen.window("Boulangerie Dupont", 90)
        screen.until_drawn(window)
        assert pc.run(setup, "/S")[0] == 3
        assert (program / "_internal" / "python311.dll").exists()
        screen.focus(window)
        screen.key("alt+F4")
        assert shown.wait(60) == 0

    assert pc.run(program / "uninstall.exe", "/S")[0] == 0
    until(lambda: not program.exists(), 60, "the program to be removed")
    assert pc.registered(KEY) == ""
    assert not any(shortcut.exists() for shortcut in shortcuts)
    assert (pc.home / "AppData/Local/Navette/history.db").exists()


def test_a_scaled_screen_gets_a_sharp_window(pc: WindowsPc, folder: Path, client: Client, at_home: Path) -> None:
    """On a screen at 150 % the program itself draws larger, as its manifest promises."""
    desk = r"HKCU\Control Panel\Desktop"
    assert pc.run("reg", "add", desk, "/v", "LogPixels", "/t", "REG_DWORD", "/d", "144", "/f")[0] == 0
    result = at_home / "result.json"
    words = ["--selftest", "--result", result, "--ini", client.ini, "--folder", client.folder]
    assert pc.run(folder / "uploader" / "uploader.exe", *words, NAVETTE_DATA=pc.path(at_home / "data"))[0] == 0
    assert pc.run("reg", "delete", desk, "/v", "LogPixels", "/f")[0] == 0
    assert result_of(result, 5, pc.running)["scaling"] == pytest.approx(2.0, abs=0.05)


def test_each_program_is_signed_and_says_what_it_is(windows_dist: Path) -> None:
    """Both programs and the setup are signed; the programs have version, icon and a manifest for sharp screens."""
    programs = [windows_dist / "uploader" / "uploader.exe", windows_dist / "uploader-portable.exe"]
    for program in (*programs, windows_dist / "navette-setup.exe"):
        assert signer_of(program) == "Navette test"
    icon = (ROOT / "build" / "windows" / "uploader.ico").read_bytes()
    largest = icon[icon.rindex(b"\x89PNG") :]
    for program in programs:
        content = program.read_bytes()
        assert "ProductVersion".encode("utf-16-le") in content
        assert b"<dpiAwareness" in content
        assert b'level="asInvoker"' in content
        assert largest in content


def test_nothing_of_wine_is_packed(windows_dist: Path) -> None:
    """Each library comes from python.org, signed, or from a wheel: none is the builder's own."""
    wheels = ("PIL", "tkinterdnd2")
    inside = windows_dist / "uploader" / "_internal"
    libraries = [path for path in inside.rglob("*") if path.suffix in {".dll", ".pyd"}]
    others = [path for path in libraries if path.relative_to(inside).parts[0] not in wheels]
    assert len(others) > 10
    unsigned = [path.name for path in others if signer_of(path) != "Python Software Foundation"]
    assert unsigned == ["VCRUNTIME140.dll"]


def signer_of(file: Path) -> str:
    """Return the name on a program's signature, which must fit its bytes; nothing without a signature."""
    words = ["osslsigncode", "verify", "-ignore-crl", "-in", str(file)]
    told = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}).stdout
    digests = re.findall(r"^(?:Current|Calculated) message digest *: (\w+)", told, re.MULTILINE)
    if len(digests) != 2 or digests[0] != digests[1]:
        return ""
    subject = next(line for line in told.splitlines() if "Subject:" in line)
    return subject.rpartition("CN=")[2].partition("/")[0].partition(",")[0].strip()
