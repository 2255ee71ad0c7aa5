"""Fixtures that all tests share; none of them ever touches what a user has on this machine."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from leftovers import left_since, present
from navette_server import NavetteServer
from processes import MARK
from screen import Screen, running_screen

os.environ[MARK] = str(os.getpid())


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which all temporary files of this run are made, by the tests and by what they start."""
    folder = tmp_path_factory.mktemp("temporary")
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    yield folder
    tempfile.tempdir = before[1]
    if before[0] is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before[0]


@pytest.fixture(autouse=True)
def nothing_left_behind(temporary_folder: Path) -> Iterator[None]:
    """Fail a test after which a thread, a process, an open socket or file, or a temporary file is still there."""
    before = present()
    yield
    left = left_since(before)
    for path in left.files.values():  # so that only the test that left it is blamed
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    assert not str(left), f"left behind: {left}"


@pytest.fixture(scope="session")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    """A screen for windows, with DISPLAY set to it."""
    with running_screen(tmp_path_factory.mktemp("screen")) as running:
        yield running


@pytest.fixture
def navette_server(tmp_path: Path) -> Iterator[NavetteServer]:
    """Navette's own FTP server with the accounts of fiduciary 570013, running as a program of its own."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start()
    yield server
    server.stop()
