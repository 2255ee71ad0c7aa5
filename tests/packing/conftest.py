"""The packed programs, built once for all tests that run them."""

import contextlib
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from navette_server import ROOT, NavetteServer
from packed import Client, built, client_of
from screen import Screen
from windows_pc import WindowsPc, running_pc

SIGNER = "Navette test"


@pytest.fixture(scope="session")
def linux_dist() -> Path:
    """The folder with the programs for Linux."""
    return built("linux")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the screen in build/screens when a test of this folder fails."""
    report = yield
    screen = getattr(item, "funcargs", {}).get("screen")
    if report.when == "call" and report.failed and isinstance(screen, Screen):
        folder = ROOT / "build" / "screens"
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(subprocess.SubprocessError):  # no picture is no reason to hide why the test failed
            screen.screenshot(folder / f"{item.name.replace('/', '-')}.png")
    return report


@pytest.fixture
def client(navette_server: NavetteServer, tmp_path: Path) -> Client:
    """A client with three documents and the INI of a running server."""
    return client_of(navette_server, tmp_path / "client")


@pytest.fixture(scope="session")
def wine() -> None:
    """Wine, with what packs for Windows beside it; where it cannot be installed, no test of Windows runs."""
    if shutil.which("wine") is None:
        pytest.skip("skipped: Wine cannot be installed here")


@pytest.fixture(scope="session")
def certificate(wine: None) -> tuple[Path, Path]:
    """A certificate to sign with, and its key; kept beside the build, so that what it signed stays signed by it."""
    folder = ROOT / "build" / "test-certificate"
    found = folder / "certificate.pem", folder / "key.pem"
    if not all(path.exists() for path in found):
        folder.mkdir(parents=True, exist_ok=True)
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", f"/CN={SIGNER}"]
        words += ["-addext", "extendedKeyUsage=codeSigning", "-out", str(found[0]), "-keyout", str(found[1])]
        subprocess.run(words, check=True, capture_output=True)
    return found


@pytest.fixture(scope="session")
def windows_dist(certificate: tuple[Path, Path]) -> Path:
    """The folder with the programs for Windows, signed."""
    return built("windows", "--certificate", certificate[0], "--key", certificate[1])


@pytest.fixture(scope="session")
def pc(windows_dist: Path, screen: Screen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsPc]:
    """A Windows PC without Python, with a screen."""
    with running_pc(tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def at_home(pc: WindowsPc, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of the test's own on the PC's disk; no program of ours may run when the test ends."""
    folder = pc.drive / "tests" / str(request.node.name).translate(str.maketrans("[]/ ", "----"))
    folder.mkdir(parents=True)
    yield folder
    pc.wait_until_idle()
    shutil.rmtree(folder)
