"""The silent mode as scripts use it: a program of its own, its output and its exit code."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ini_files import write_ini
from ports import free_port

from transfer.client_ini import Connection, Security, read
from transfer.language import Language
from uploader import silent
from uploader.events import Finished
from uploader.history import History

ROOT = Path(__file__).resolve().parents[2]
UNPRIVILEGED = () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Put before a program so that the permissions of files count for it even when root runs the tests."""


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """The client's folder, with two documents that stand still since long."""
    folder = tmp_path / "client"
    folder.mkdir()
    for name, content in {"facture é.pdf": b"%PDF one", "relevé €.pdf": b"%PDF two"}.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, (time.time() - 60,) * 2)
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``python -m uploader --silent`` with the words given."""

    def run(*words: str | Path, cwd: Path = ROOT, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NAVETTE_DATA": str(tmp_path / "user"), "PYTHONPATH": str(ROOT), "LANG": "fr_BE"}
        environment |= {"XDG_DATA_HOME": str(tmp_path / "data")}  # the bin, too, is not that of whoever runs the tests
        environment.pop("LC_ALL", None)
        command = [*before, sys.executable, "-m", "uploader", "--silent", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)

    return run


def test_json_tells_each_file_and_the_end(plain_server: Any, client: Path, program: Any, tmp_path: Path) -> None:
    """With ``--json`` each line is an object; the files are sent, removed, and the program ends with 0."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    ended = program("--folder", client, "--ini", ini, "--json")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0, ended.stderr
    assert {line["event"] for line in lines} == {"started", "sent", "finished"}
    sent = {line["file"]: line for line in lines if line["event"] == "sent"}
    assert sent["facture é.pdf"]["stored_as"] == "/000204/facture é.pdf"
    assert sent["facture é.pdf"]["fate"] == "removed"
    assert lines[-1] | {"sent": 2, "failed": 0, "left": 0} == lines[-1]
    assert server.holds() == {"facture é.pdf": b"%PDF one", "relevé €.pdf": b"%PDF two"}
    assert list(client.iterdir()) == []


@pytest.mark.parametrize(
    "said", [("fr", "2 fichiers envoyés."), ("nl", "2 bestanden verzonden."), ("en", "2 files sent.")]
)
def test_sentences_come_in_three_languages(
    plain_server: Any, client: Path, program: Any, tmp_path: Path, said: tuple[str, str]
) -> None:
    """Without ``--json`` a person reads sentences in the language asked for."""
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/")
    ended = program("--folder", client, "--ini", ini, "--language", said[0])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == said[1]


def test_the_ini_beside_the_program_and_its_folder_are_enough(
    plain_server: Any, client: Path, program: Any, tmp_path: Path
) -> None:
    """Without options, the only INI of the program's folder says where from and where to."""
    server = plain_server()
    place = tmp_path / "kit"
    place.mkdir()
    ini = write_ini(place / "000204.ini", server.connection(), "/000204", language="fr")
    ini.write_text(ini.read_text() + f"folder = {client}\r\n")
    assert program(cwd=place).returncode == 0
    assert len(server.holds()) == 2


def test_an_ini_in_the_folder_is_never_sent(plain_server: Any, client: Path, program: Any) -> None:
    """A client who keeps the INI among the documents does not lose it."""
    server = plain_server()
    ini = write_ini(client / "envoi.ini", server.connection(), "/000204")
    assert program("--folder", client, "--ini", ini).returncode == 0
    assert list(client.iterdir()) == [ini]
    assert "envoi.ini" not in server.holds()


@pytest.mark.parametrize(
    "text, code",
    [
        (None, "ini.missing_file"),
        ("[ftp]\nhost\n", "ini.not_readable"),
        ("[ftp]\nuser = WRITE_570013\n", "ini.missing_key"),
        ("\0\1\2 not an ini", "ini.not_an_ini"),
    ],
)
def test_a_missing_or_damaged_ini_ends_with_2(
    client: Path, program: Any, tmp_path: Path, text: str | None, code: str
) -> None:
    """A bad INI is said by its code, nothing is sent, and no traceback is shown."""
    ini = tmp_path / "envoi.ini"
    if text is not None:
        ini.write_text(text)
    ended = program("--folder", client, "--ini", ini)
    assert ended.returncode == 2
    assert f"[{code}]" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert len(list(client.iterdir())) == 2


@pytest.mark.parametrize("files, code", [([], "start.no_ini"), (["a.ini", "b.ini"], "start.several_inis")])
def test_no_ini_or_several_end_with_2(program: Any, tmp_path: Path, files: list[str], code: str) -> None:
    """Without ``--ini``, none or more than one beside the program is refused rather than guessed."""
    place = tmp_path / "kit"
    place.mkdir()
    for name in files:
        (place / name).write_text("[ftp]\n")
    ended = program(cwd=place)
    assert ended.returncode == 2
    assert f"[{code}]" in ended.stdout


def test_a_wrong_password_ends_with_4_and_is_not_shown(
    plain_server: Any, client: Path, program: Any, tmp_path: Path
) -> None:
    """A refused login has its own exit code; the password appears nowhere."""
    connection = replace(plain_server().connection(), password="not-this-one")
    ini = write_ini(tmp_path / "envoi.ini", connection, "/")
    ended = program("--folder", client, "--ini", ini, "--json")
    assert ended.returncode == 4
    assert "not-this-one" not in ended.stdout + ended.stderr
    assert len(list(client.iterdir())) == 2


def test_a_wrong_fingerprint_ends_with_5(plain_server: Any, client: Path, program: Any, tmp_path: Path) -> None:
    """A server that shows another certificate than the INI pins gets no password and no file."""
    server = replace(plain_server(tls=True).connection(), security=Security.TLS, fingerprint="ab" * 32)
    ini = write_ini(tmp_path / "envoi.ini", server, "/")
    ended = program("--folder", client, "--ini", ini)
    assert ended.returncode == 5
    assert "[session.fingerprint_differs]" in ended.stdout
    assert len(list(client.iterdir())) == 2


def test_a_certificate_nobody_vouches_for_ends_with_5(
    plain_server: Any, client: Path, program: Any, tmp_path: Path
) -> None:
    """Without a pinned fingerprint only certificates that the system trusts are taken."""
    server = replace(plain_server(tls=True).connection(), security=Security.TLS)
    ini = write_ini(tmp_path / "envoi.ini", server, "/")
    ended = program("--folder", client, "--ini", ini)
    assert ended.returncode == 5
    assert len(list(client.iterdir())) == 2


def in_process(ini: Path, folder: Path, tmp_path: Path, **given: Any) -> tuple[int, str]:
    """Run the silent mode without starting a program, so that waiting costs nothing."""
    history = History(tmp_path / "user")
    with open(tmp_path / "said.txt", "w+", encoding="utf-8") as said:
        report = silent.Report(Language("fr", "uploader"), said, as_json=False)
        options = silent.Options(folder, ini, settle=3.0, connections=4, fail_if_empty=False)
        given.setdefault("wait", lambda _: None)
        code = silent.run(read(ini), replace(options, **given.pop("options", {})), history, report, **given)
        history.close()
        said.seek(0)
        return code, said.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_out_of_reach_ends_with_3(client: Path, tmp_path: Path, host: str) -> None:
    """No server at the address, or no such host: exit code 3, said with the pauses on the way, nothing touched."""
    ini = write_ini(tmp_path / "envoi.ini", Connection(host, free_port(), "client", "x", Security.NONE), "/")
    code, said = in_process(ini, client, tmp_path)
    assert code == 3
    assert "Nouvel essai dans 5 s." in said
    assert "Nouvel essai dans 15 s." in said
    assert len(list(client.iterdir())) == 2


def test_a_file_still_written_waits_for_the_next_time(plain_server: Any, client: Path, tmp_path: Path) -> None:
    """A file that changes between two looks is left alone and said so; the others go."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    scan = client / "scan.pdf"
    scan.write_bytes(b"half")

    def scanner_goes_on(_: float) -> None:
        scan.write_bytes(b"half and more")

    moments = iter([time.time(), time.time() + 3])
    code, said = in_process(ini, client, tmp_path, wait=scanner_goes_on, now=lambda: next(moments))
    assert code == 0
    assert "«\xa0scan.pdf\xa0» est encore en cours d’écriture" in said
    assert list(client.iterdir()) == [scan]
    assert len(server.holds()) == 2


def test_a_fresh_file_that_stands_still_is_sent(plain_server: Any, client: Path, tmp_path: Path) -> None:
    """A file written a moment ago is looked at again after the settling time, and then sent."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    (client / "scan.pdf").write_bytes(b"fresh")
    moments = iter([time.time(), time.time() + 3])
    assert in_process(ini, client, tmp_path, now=lambda: next(moments))[0] == 0
    assert server.holds()["scan.pdf"] == b"fresh"


def test_recycle_uses_the_systems_bin(plain_server: Any, client: Path, program: Any, tmp_path: Path) -> None:
    """With ``recycle``, sent files leave their folder and can be found in the user's bin."""
    (tmp_path / "data").mkdir()
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/", after_upload="recycle")
    assert program("--folder", client, "--ini", ini).returncode == 0
    assert list(client.iterdir()) == []
    assert names(tmp_path / "data" / "Trash" / "files") == ["facture é.pdf", "relevé €.pdf"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_to_send_ends_with_0_or_9(plain_server: Any, program: Any, tmp_path: Path) -> None:
    """An empty folder is fine, unless ``--fail-if-empty`` asks to be told."""
    (tmp_path / "empty").mkdir()
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/")
    assert program("--folder", tmp_path / "empty", "--ini", ini).returncode == 0
    assert program("--folder", tmp_path / "empty", "--ini", ini, "--fail-if-empty").returncode == 9


def test_a_folder_that_is_not_there_ends_with_2(plain_server: Any, program: Any, tmp_path: Path) -> None:
    """A folder that does not exist is said by its code."""
    ini = write_ini(tmp_path / "envoi.ini", plain_server().connection(), "/")
    ended = program("--folder", tmp_path / "gone", "--ini", ini)
    assert ended.returncode == 2
    assert "[folder.missing]" in ended.stdout


def test_unknown_options_end_with_2(program: Any) -> None:
    """A word the program does not know is a usage error."""
    assert program("--wat").returncode == 2
    assert program("--connections", "9").returncode == 2


def test_some_failed_ends_with_1() -> None:
    """A file that failed, stayed or was left makes 1, when nothing ended the upload as a whole."""
    assert silent.exit_code(Finished(1, 1, 0, 0), fail_if_empty=False) == 1
    assert silent.exit_code(Finished(1, 0, 1, 0), fail_if_empty=False) == 1
    assert silent.exit_code(Finished(1, 0, 0, 1), fail_if_empty=False) == 1
    assert silent.exit_code(Finished(1, 0, 0, 0), fail_if_empty=True) == 0


def test_a_protected_folder_keeps_its_file_and_is_not_sent_twice(
    plain_server: Any, client: Path, program: Any, tmp_path: Path
) -> None:
    """A folder that lets nothing go: the file is stored, stays here with a reason, and is stored once only."""
    server = plain_server()
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    client.chmod(0o555)
    for _ in range(2):
        ended = program("--folder", client, "--ini", ini, before=UNPRIVILEGED)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert ended.stdout.count("[local.not_removed]") == 2
    client.chmod(0o755)
    assert server.commands.count("STOR") == 2
    assert len(list(client.iterdir())) == 2
    assert len(server.holds()) == 2


def test_a_polite_kill_ends_after_the_files_under_way(plain_server: Any, client: Path, tmp_path: Path) -> None:
    """SIGTERM lets the running files arrive, leaves the others, and ends with 1 and a sentence."""
    server = plain_server()
    for n in range(60):
        (client / f"{n}.pdf").write_bytes(os.urandom(1_000_000))
        os.utime(client / f"{n}.pdf", (time.time() - 60,) * 2)
    ini = write_ini(tmp_path / "envoi.ini", server.connection(), "/000204")
    command = [sys.executable, "-m", "uploader", "--silent", "--folder", str(client), "--ini", str(ini)]
    environment = {**os.environ, "NAVETTE_DATA": str(tmp_path / "user")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        running.terminate()
        rest = running.stdout.read()
    assert running.returncode == 1, first + rest
    left = {path.name for path in client.iterdir()}
    assert 0 < len(left) < 62
    assert set(server.holds()) == {"facture é.pdf", "relevé €.pdf", *(f"{n}.pdf" for n in range(60))} - left
