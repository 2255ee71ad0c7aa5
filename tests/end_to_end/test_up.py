"""``navette up`` and ``make run``: everything at once on embedded defaults; never with a port that others use."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from client_side import ClientSide
from console_site import Site
from firm_side import FirmSide
from navette_server import NAVETTE, ROOT, navette
from ports import free_port, is_listening
from processes import end, marked, started
from sample_documents import pdf
from waiting import until

from transfer.client_ini import read
from transfer.ftp_session import FtpSession

Programs = Callable[[], dict[int, str]]


class Running:
    """A ``navette up`` under way, with all it has printed."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def text(self) -> str:
        return self._log.read_text(errors="replace")

    def inis(self) -> list[Path]:
        """Return the INI files it names."""
        return [ROOT / found for found in re.findall(r"\S+\.ini", self.text)]

    def stop(self) -> int:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def _up(home: Path, log: Path, command: Sequence[str | Path] = (), port: int | None = None) -> Iterator[Running]:
    log.write_bytes(b"")
    asked = ["--port", str(port)] if port else []
    process = started(command or [*NAVETTE, "--home", home, "--language", "en", "up", *asked], log, cwd=ROOT)
    running = Running(process, log)
    try:
        until(lambda: "Ctrl-C" in running.text or process.poll() is not None, 60, "everything to be up")
        yield running
    finally:
        end(process)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "up.log"


@pytest.fixture
def running_now() -> Programs:
    """Return the programs started since the test began: the screen that other tests use may run already."""
    before = set(marked())
    return lambda: {pid: words for pid, words in marked().items() if pid not in before}


def _upload(ini: Path, folder: Path, name: str, content: bytes) -> None:
    client = ClientSide(folder)
    client.ini = ini
    (client.folder / name).write_bytes(content)
    told = client.upload()
    assert told.code == 0, told.events


def test_a_second_start_finds_all_as_it_was(tmp_path: Path, log: Path, running_now: Programs) -> None:
    """The first start says address and INI files, and documents reach their dossier by themselves, then and later."""
    home, port = tmp_path / "var", free_port()
    with _up(home, log, port=port) as running:
        assert str(port) in running.text
        inis = running.inis()
        assert inis
        kept = {ini: ini.read_bytes() for ini in inis}
        dossier = read(inis[0]).dossier
        _upload(inis[0], tmp_path / "first", "facture.pdf", pdf("one"))
        until(lambda: FirmSide(home).documents(dossier), 30, "the document to reach the dossier")
        assert running.stop() == 0
    assert not running_now()
    with _up(home, log) as running:
        assert {ini: ini.read_bytes() for ini in running.inis()} == kept
        assert str(port) in running.text
        _upload(inis[0], tmp_path / "second", "facture.pdf", pdf("two"))
        wanted = {"facture.pdf": pdf("one"), "facture(2).pdf": pdf("two")}
        until(lambda: FirmSide(home).documents(dossier) == wanted, 30, "both documents to be in the dossier")
        assert running.stop() == 0
    assert not running_now()
    assert not is_listening(port)


def test_the_console_opens_by_the_link_that_is_printed(tmp_path: Path, log: Path) -> None:
    """The first start prints a link that makes the administrator; the next one has none, and they sign in."""
    home = tmp_path / "var"
    with _up(home, log, port=free_port()) as running:
        first = re.search(r"http://\S+/first/\S+", running.text)
        assert first
        site = Site(home, first[0].partition("/first/")[0], first[0])
        assert "Today" in site.make_first().get("/").text
        assert first[0].rpartition("/")[2] not in (home / "logs" / "console.log").read_text()
        assert running.stop() == 0
    with _up(home, log) as running:
        assert "/first/" not in running.text
        address = re.search(r"http://\S+", running.text)
        assert address
        assert Site(home, address[0], None).visitor().sign_in("anne").status == 303
        assert running.stop() == 0


def test_make_run_starts_the_same_and_ctrl_c_ends_it(tmp_path: Path, log: Path, running_now: Programs) -> None:
    """``make run`` brings up a server whose INI logs in, and Ctrl-C leaves no process behind."""
    home, port = tmp_path / "var", free_port()
    navette(home, "settings", "set", "ftp.port", str(port))
    installed = ["-o", ".venv/run", "-o", ".venv/texts"]  # the tests run in what is installed
    with _up(home, log, ["make", *installed, "run", f"HOME_FOLDER={home}"]) as running:
        inis = running.inis()
        assert inis, running.text
        with FtpSession(read(inis[0]).connection) as session:
            assert session.is_navette
        running.stop()
        until(lambda: not running_now(), 30, "all programs to end")
    assert "Traceback" not in running.text


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path, log: Path) -> None:
    """When another program has the port, the start ends with a sentence that names it, and changes nothing there."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        port = other.getsockname()[1]
        with _up(tmp_path / "var", log, port=port) as running:
            assert running.process.wait(30) == 2
    assert "[up.port_taken]" in running.text
    assert str(port) in running.text
    assert "Traceback" not in running.text


def test_a_part_that_dies_ends_the_whole_with_a_sentence(tmp_path: Path, log: Path, running_now: Programs) -> None:
    """When the server is killed, ``navette up`` ends the service too and says which part ended and where its log is."""
    with _up(tmp_path / "var", log, port=free_port()) as running:
        server = next(pid for pid, words in running_now().items() if " server run " in words)
        os.kill(server, signal.SIGKILL)
        assert running.process.wait(60) == 2
    assert "[up.part_ended]" in running.text
    assert not running_now()


def test_killed_it_leaves_nothing_running(tmp_path: Path, log: Path, running_now: Programs) -> None:
    """When ``navette up`` itself is killed, the server and the service end by themselves, and a new start works."""
    home, port = tmp_path / "var", free_port()
    with _up(home, log, port=port) as running:
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(10)
        until(lambda: not running_now(), 30, "the parts to end")
    with _up(home, log) as running:
        assert str(port) in running.text
        assert running.stop() == 0
