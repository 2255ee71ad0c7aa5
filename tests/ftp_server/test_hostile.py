"""What strangers and odd devices send, and what it must not achieve."""

import ftplib
import io
import os
import socket
import ssl
import subprocess
import unicodedata
from pathlib import Path

import pytest
from ports import free_range
from served import FIDUCIARY, PDF, Served, serving, trusting

from transfer.client_ini import Connection, Security
from transfer.failures import TemporaryFailure
from transfer.ftp_session import FtpSession


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


def dialogue(served: Served, *lines: bytes) -> list[bytes]:
    """Send raw lines one by one and return the reply to each, the greeting first."""
    with socket.create_connection((served.host, served.port), timeout=10) as sock:
        replies = [sock.recv(4096)]
        for line in lines:
            sock.sendall(line)
            replies.append(sock.recv(4096))
    return replies


def test_a_line_that_is_too_long(served: Served) -> None:
    """A line of more than 2,048 bytes ends the session; its tail is never run as a command."""
    with socket.create_connection((served.host, served.port), timeout=10) as sock:
        sock.sendall(b"X" * 2049 + b"\r\nNOOP\r\n")
        answers = b""
        while block := sock.recv(4096):
            answers += block
    assert answers.count(b"\r\n") == 2
    assert b"500" in answers
    assert b"200" not in answers


def test_commands_sent_ahead_of_tls(served: Served) -> None:
    """Commands that stand in clear text behind AUTH TLS are never run inside TLS: the session ends."""
    with socket.create_connection((served.host, served.port), timeout=10) as sock:
        sock.recv(4096)
        sock.sendall(b"AUTH TLS\r\nUSER WRITE_570013\r\n")
        answers = b""
        while block := sock.recv(4096):
            answers += block
    assert answers.startswith(b"503")
    assert b"331" not in answers


def test_line_ends_and_telnet_marks(served: Served) -> None:
    """Lines that end with LF alone, and ABOR in Telnet dress, are understood."""
    greeting, noop, abor = dialogue(served, b"NOOP\n", b"\xff\xf4\xff\xf2OPTS UTF8 ON\r\n")
    assert (greeting[:3], noop[:3], abor[:3]) == (b"220", b"200", b"200")


def test_control_characters_in_names(served: Served) -> None:
    """A name with NUL, CR or ESC is refused with 501 and the session lives."""
    with served.session() as ftp:
        for bad in (b"a\0b", b"a\rb", b"a\x1bb"):
            ftp.sock.sendall(b"SIZE " + bad + b"\r\n")
            with pytest.raises(ftplib.error_perm, match="^501"):
                ftp.voidresp()
        assert ftp.sendcmd("NOOP").startswith("200")


def test_latin_names_do_not_collide(served: Served) -> None:
    """Names in the Western Windows code page keep their letters; none of four similar ones is lost."""
    with served.session() as ftp:
        ftp.encoding = "latin-1"
        for letter in "éèçà":
            ftp.storbinary(f"STOR n{letter}.pdf", io.BytesIO(PDF + letter.encode()))
    assert {unicodedata.normalize("NFC", name) for name in served.published()} == {
        "né.pdf",
        "nè.pdf",
        "nç.pdf",
        "nà.pdf",
    }


def test_names_that_windows_cannot_hold(served: Served) -> None:
    """Reserved names, streams, drives and wildcards are stored under harmless names."""
    with served.session() as ftp:
        for n, name in enumerate(("CON", "nul.pdf", "a:b.pdf", "C:\\x\\y.pdf", 'q"?.pdf', "dot. ", "x" * 300 + ".pdf")):
            assert ftp.storbinary(f"STOR {name}", io.BytesIO(PDF + bytes([n]))).startswith("226")
    for path in served.published():
        for part in path.split("/"):
            assert not set(part) & set('\\:*?"<>|')
            assert part.split(".")[0].lower() not in {"con", "nul"}
            assert len(part.encode()) <= 180
            assert part == part.strip(" ").rstrip(".")


def test_a_strangers_connection_is_dropped_without_a_word(served: Served) -> None:
    """A connection from another address to the passive port changes nothing for the session it was meant for."""
    with served.session() as ftp:
        host, port = ftp.makepasv()
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.2", 0))
            stranger.connect((host, port))
            ftp.putcmd("STOR scan.pdf")
            assert ftp.getresp().startswith("150")
            stranger.settimeout(5)
            assert stranger.recv(1) == b""
        with socket.create_connection((host, port)) as own:
            own.sendall(PDF)
        assert ftp.voidresp().startswith("226")
    assert served.published() == {"scan.pdf": PDF}


def test_active_mode(served: Served) -> None:
    """A device that listens itself gets its connection when the transfer begins; another address is refused."""
    with served.session() as ftp:
        ftp.set_pasv(False)
        assert ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)).startswith("226")
        for target in ("10,0,0,1,200,1", "127,0,0,1,0,25"):
            with pytest.raises(ftplib.error_perm, match="^501"):
                ftp.sendcmd(f"PORT {target}")
    assert served.published() == {"scan.pdf": PDF}


def test_passive_range_is_never_left(tmp_path: Path) -> None:
    """Sessions get ports of the range only; the one too many gets 425, and a port that is given back is lent again."""
    ports = free_range(2)
    with serving(tmp_path / "server", passive_ports=ports) as served, served.session() as one:
        assert one.makepasv()[1] in ports
        with served.session() as two:
            assert two.makepasv()[1] in ports
            with served.session() as three, pytest.raises(ftplib.error_temp, match="^425"):
                three.makepasv()
            two.quit()
        with served.session() as four:
            assert four.makepasv()[1] in ports


def test_pasv_during_a_transfer_waits(served: Served) -> None:
    """Commands sent ahead wait until the transfer is answered: the running document is not cut off."""
    with served.session() as ftp:
        sock = ftp.transfercmd("STOR scan.pdf")
        sock.sendall(PDF[:1000])
        ftp.putcmd("PASV")
        ftp.putcmd("NOOP")
        sock.sendall(PDF[1000:])
        sock.close()
        assert [ftp.getresp()[:3] for _ in range(3)] == ["226", "227", "200"]
    assert served.published() == {"scan.pdf": PDF}


def test_quit_behind_the_data(served: Served) -> None:
    """A device that sends QUIT right behind its data gets 226, then 221."""
    with served.session() as ftp:
        sock = ftp.transfercmd("STOR scan.pdf")
        sock.sendall(PDF)
        ftp.putcmd("QUIT")
        sock.close()
        assert [ftp.getresp()[:3] for _ in range(2)] == ["226", "221"]


def test_old_tls_is_refused(served: Served) -> None:
    """TLS 1.1 gets no session."""
    context = trusting()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    ftp = ftplib.FTP_TLS(context=context)
    ftp.connect(served.host, served.port, timeout=10)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ftp.auth()
    ftp.close()


def test_full_disk(tmp_path: Path) -> None:
    """A disk that fills up while a document arrives gives 452, keeps nothing of it, and the session goes on."""
    assert os.geteuid() == 0, "mounting a small disk needs root"
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=70m", "tmpfs", str(disk)], check=True)
    try:
        with serving(disk / "server") as served:
            login = f"WRITE_{FIDUCIARY}"
            connection = Connection(served.host, served.port, login, served.passwords[login], Security.NONE)
            with FtpSession(connection) as session:
                with pytest.raises(TemporaryFailure, match="session.full"):
                    session.store(io.BytesIO(b"x" * 90_000_000), "big.bin")
                assert served.staged() == []
                assert session.store(io.BytesIO(PDF), "small.pdf").path == "/small.pdf"
                (disk / "filler").write_bytes(b"x" * 10_000_000)
                with pytest.raises(TemporaryFailure, match="session.full"):
                    session.store(io.BytesIO(PDF), "refused.pdf")
            assert served.published() == {"small.pdf": PDF}
    finally:
        subprocess.run(["umount", str(disk)], check=True)
