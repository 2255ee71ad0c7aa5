"""The uploader with Navette's own server: proof by hash, and no document doubled or lost by a sudden end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from ini_files import write_ini
from waiting import until

from transfer.failures import TemporaryFailure
from transfer.ftp_session import FtpSession
from transfer.receipts import Proof
from uploader.events import Sent
from uploader.history import History

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("upload.sent", "upload.confirmed", "upload.recorded", "upload.removed")


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """The client's folder with documents whose names no simple server would survive."""
    folder = tmp_path / "client"
    folder.mkdir()
    for n, name in enumerate(("facture é.pdf", "Facture É.PDF", "relevé 😀 50%.pdf", "leer.txt", "d" * 120 + ".pdf")):
        (folder / name).write_bytes(b"" if name == "leer.txt" else b"%%PDF-1.4 %d\n%%%%EOF" % n)
        os.utime(folder / name, (time.time() - 60,) * 2)
    return folder


@pytest.fixture
def program(navette_server: Any, client: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Send the client's folder with ``python -m uploader --silent --json``."""
    ini = write_ini(tmp_path / "envoi.ini", navette_server.connection("WRITE_570013"), "/000204")

    def run(kill_at: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NAVETTE_DATA": str(tmp_path / "user"), "NAVETTE_TEST_KILL_AT": kill_at}
        command = [sys.executable, "-m", "uploader", "--silent", "--json", "--folder", str(client), "--ini", str(ini)]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)

    return run


def published(server: Any) -> dict[str, bytes]:
    """Return what the fiduciary's READ account sees, by path."""
    found = {}
    with FtpSession(server.connection("READ_570013")) as session:
        for file in session.walk("/"):
            kept = BytesIO()
            session.retrieve(file.path, kept)
            found[file.path] = kept.getvalue()
    return found


def test_every_file_is_proven_by_its_hash(navette_server: Any, client: Path, program: Any) -> None:
    """Names with accents, case twins, emoji, and an empty file all arrive whole, each with the strongest proof."""
    originals = sorted(path.read_bytes() for path in client.iterdir())
    ended = program()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sent = [line for line in map(json.loads, ended.stdout.splitlines()) if line["event"] == "sent"]
    assert {line["proof"] for line in sent} == {"hash"}
    assert sorted(published(navette_server).values()) == originals
    assert set(published(navette_server)) == {line["stored_as"] for line in sent}
    assert list(client.iterdir()) == []


@pytest.mark.crash
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_and_doubles_nothing(
    navette_server: Any, client: Path, program: Any, tmp_path: Path, step: str
) -> None:
    """Killed at the second file's step and started again, the uploader ends with each file stored exactly once."""
    originals = sorted(path.read_bytes() for path in client.iterdir())
    assert program(kill_at=f"{step}:2").returncode == -signal.SIGKILL
    assert program().returncode == 0
    assert list(client.iterdir()) == []
    assert sorted(published(navette_server).values()) == originals
    history = History(tmp_path / "user")
    assert len(history.latest(f"WRITE_570013@127.0.0.1:{navette_server.port}/000204", 50)) == 5
    history.close()


def test_the_226_is_proof_enough(navette_server: Any, uploads: Any, tmp_path: Path) -> None:
    """The server's reply tells size and hash of what it stored; nothing more is asked, and the proof is the hash."""
    client = uploads(navette_server.connection("WRITE_570013"))
    (client.folder / "a.pdf").write_bytes(b"%PDF a %%EOF")
    asked: list[str] = []

    class Listening(FtpSession):
        def fingerprint(self, path: str) -> Any:
            asked.append(path)
            return super().fingerprint(path)

    assert client.run(open_session=lambda: Listening(client.ini.connection)).sent == 1
    assert asked == []
    assert client.told(Sent)[0].receipt.proof is Proof.HASH


def test_a_lost_answer_is_asked_for_instead_of_sending_again(navette_server: Any, uploads: Any) -> None:
    """A connection that breaks after the document was stored costs one question at the next attempt, not a transfer."""
    client = uploads(navette_server.connection("WRITE_570013"))
    (client.folder / "facture (2).pdf").write_bytes(b"%PDF a %%EOF")
    stored: list[str] = []

    class LosesItsAnswer(FtpSession):
        def store(self, source: Any, path: str, *given: Any) -> Any:
            stored.append(super().store(source, path, *given).path)
            raise TemporaryFailure("session.interrupted", host=self._connection.host, port=self._connection.port)

    def until_it_is_on_record(_: float) -> None:
        """Another process of the server may be asked than the one that wrote the answer."""
        until(lambda: navette_server.rows("SELECT name FROM deposits"), what="the document to be on record")

    given = {"open_session": lambda: LosesItsAnswer(client.ini.connection), "wait": until_it_is_on_record}
    assert client.run(**given).sent == 1
    assert stored == ["/000204/facture (2).pdf"]
    (sent,) = client.told(Sent)
    assert (sent.receipt.proof, sent.receipt.stored_as) == (Proof.HASH, "/000204/facture (2).pdf")
    assert list(client.folder.iterdir()) == []
    assert list(published(navette_server)) == ["/000204/facture (2).pdf"]


def test_an_older_document_of_other_bytes_is_not_taken_for_the_answer(navette_server: Any, uploads: Any) -> None:
    """When the broken attempt had stored nothing, the next one sends the file, whatever lies there under its name."""
    client = uploads(navette_server.connection("WRITE_570013"))
    (client.folder / "a.pdf").write_bytes(b"%PDF earlier %%EOF")
    client.run()
    (client.folder / "a.pdf").write_bytes(b"%PDF later %%EOF")
    broken: list[str] = []

    class Breaks(FtpSession):
        def store(self, source: Any, path: str, *given: Any) -> Any:
            if not broken:
                broken.append(path)
                raise TemporaryFailure("session.interrupted", host=self._connection.host, port=self._connection.port)
            return super().store(source, path, *given)

    assert client.run(open_session=lambda: Breaks(client.ini.connection)).sent == 1
    assert sorted(published(navette_server).values()) == [b"%PDF earlier %%EOF", b"%PDF later %%EOF"]
