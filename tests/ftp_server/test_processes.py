"""A server of several processes: one server to the sessions, whichever process has them."""

import ftplib
import io
import os
import signal
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from navette_server import FIDUCIARY, NavetteServer, navette
from processes import descendants
from served import PDF, trusting
from waiting import until

from ftp_server.bans import TRIES

WRITE, READ = f"WRITE_{FIDUCIARY}", f"READ_{FIDUCIARY}"
SESSIONS = 12


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NavetteServer]:
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    server.start(None, "--processes", "2")
    try:
        yield server
    finally:
        server.stop()


def session(server: NavetteServer, login: str = WRITE, password: str | None = None) -> ftplib.FTP:
    ftp = ftplib.FTP_TLS(context=trusting()) if login == READ else ftplib.FTP()
    ftp.connect("127.0.0.1", server.port, timeout=20)
    ftp.login(login, password or server.passwords[login])
    if isinstance(ftp, ftplib.FTP_TLS):
        ftp.prot_p()
    return ftp


def at_once(actions: list[threading.Thread]) -> None:
    for action in actions:
        action.start()
    for action in actions:
        action.join(60)
        assert not action.is_alive()


def published(server: NavetteServer) -> dict[str, bytes]:
    files = server.home / "server" / "fiduciaries" / FIDUCIARY / "files"
    return {str(path.relative_to(files)): path.read_bytes() for path in files.rglob("*") if path.is_file()}


def test_one_name_from_many_sessions(server: NavetteServer) -> None:
    """Sessions of both processes that push one name, in capitals or not, at the same moment all keep their document."""
    sessions = [session(server) for _ in range(SESSIONS)]

    def push(number: int) -> None:
        for page in range(5):
            name = "Scan.PDF" if number % 2 else "scan.pdf"
            sessions[number].storbinary(f"STOR {name}", io.BytesIO(b"%d %d " % (number, page) + PDF))

    at_once([threading.Thread(target=push, args=(number,)) for number in range(SESSIONS)])
    for ftp in sessions:
        ftp.close()
    found = published(server)
    assert len({name.casefold() for name in found}) == len(set(found.values())) == 5 * SESSIONS


def test_one_document_from_many_sessions(server: NavetteServer) -> None:
    """The same bytes under the same name are stored once, whichever processes are asked, at once or again later."""
    sessions = [session(server) for _ in range(SESSIONS)]
    replies: list[str] = []

    def push(ftp: ftplib.FTP) -> None:
        replies.append(ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)))

    at_once([threading.Thread(target=push, args=(ftp,)) for ftp in sessions])
    for ftp in sessions:
        push(ftp)
        ftp.close()
    assert len(replies) == 2 * SESSIONS
    assert len(set(replies)) == 1
    assert published(server) == {"scan.pdf": PDF}


def test_what_was_collected_never_comes_back(server: NavetteServer) -> None:
    """What READ removes at once, over whichever process, is not published again when the server is killed."""
    writers, readers = [session(server) for _ in range(4)], [session(server, READ) for _ in range(4)]
    for number, writer in enumerate(writers):
        for reader in readers:
            writer.storbinary(f"STOR {number}.pdf", io.BytesIO(b"%d " % number + os.urandom(8) + PDF))
            (name,) = reader.nlst()
            reader.delete(name)
    for ftp in (*writers, *readers):
        ftp.close()
    server.kill()
    server.start(None, "--processes", "2")
    assert published(server) == {}


def test_a_process_that_dies(server: NavetteServer) -> None:
    """When one process is killed all start afresh, what was answered is there, and new sessions are served."""
    with session(server) as ftp:
        ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF))
        before = set(descendants(server.pid))
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(set(descendants(server.pid)) - before) == 2, 15, "new processes")
    with session(server) as ftp:
        ftp.storbinary("STOR second.pdf", io.BytesIO(b"2 " + PDF))
    assert published(server) == {"scan.pdf": PDF, "second.pdf": b"2 " + PDF}


def test_the_first_process_dies(server: NavetteServer) -> None:
    """When the process that started the others is killed, they end too."""
    others = descendants(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not [pid for pid in others if _lives(pid)], 15, "the processes to end")


def test_stopping(server: NavetteServer) -> None:
    """Asked to stop, all processes end by themselves, with a transfer under way brought to its end."""
    ftp = session(server)
    data = ftp.transfercmd("STOR scan.pdf")
    data.sendall(PDF[:1000])
    os.kill(server.pid, signal.SIGTERM)
    data.sendall(PDF[1000:])
    data.close()
    assert ftp.voidresp().startswith("226")
    with pytest.raises(ftplib.error_temp, match="^421"):
        ftp.getresp()
    ftp.close()
    until(lambda: not server.running, 15, "the server to end")
    assert published(server) == {"scan.pdf": PDF}


def test_guessing_is_counted_over_all_processes(server: NavetteServer) -> None:
    """An address that guesses is banned by all processes together; a known device goes on, and the host can lift it."""
    with session(server):  # the right password was given from here a moment ago
        guessers = [threading.Thread(target=_guess, args=(server,)) for _ in range(TRIES + 2)]
        at_once(guessers)
        assert "127.0.0.1" in navette(server.home, "server", "bans").stdout
        with pytest.raises(ftplib.error_perm, match="^530"):
            session(server, READ)  # whose right password nobody has given yet
        navette(server.home, "server", "bans", "lift", "127.0.0.1")
        until(lambda: _gets_in(server), 20, "the ban to be lifted")


def _guess(server: NavetteServer) -> None:
    with pytest.raises(ftplib.error_perm, match="^530"):
        session(server, password="wrong")


def _gets_in(server: NavetteServer) -> bool:
    try:
        session(server, READ).close()
    except (ftplib.error_perm, ssl.SSLError):
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
