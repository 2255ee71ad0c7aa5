"""What the server takes for a whole document, and what it keeps as suspect."""

import ftplib
import io
import itertools
import socket
import struct
from pathlib import Path

import pytest
from served import PDF, Served, serving
from waiting import until

from ftp_server.judging import Ending, Outcome, judge
from transfer.evidence import Evidence

HALF = PDF[: len(PDF) // 2]
TEXT = b"no format, no end mark " * 3000


@pytest.fixture
def served(tmp_path: Path):
    with serving(tmp_path / "server") as running:
        yield running


def send_part(ftp: ftplib.FTP, name: str, data: bytes) -> socket.socket:
    sock = ftp.transfercmd(f"STOR {name}")
    sock.sendall(data)
    return sock


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_reset_is_suspect(served: Served) -> None:
    """A data connection that is reset in the middle is answered 426; its bytes are kept as suspect, not published."""
    with served.session() as ftp:
        reset(send_part(ftp, "scan.pdf", HALF))
        with pytest.raises(ftplib.error_temp, match="^426"):
            ftp.voidresp()
    assert served.published() == {}
    assert served.suspects() == [HALF]


def test_reset_at_the_end_is_suspect(served: Served) -> None:
    """Even a file that looks whole is not believed when the connection was reset: more may have been meant to come."""
    with served.session() as ftp:
        reset(send_part(ftp, "scan.pdf", PDF))
        with pytest.raises(ftplib.error_temp, match="^426"):
            ftp.voidresp()
    assert served.published() == {}


@pytest.mark.parametrize("data", [HALF, TEXT, PDF], ids=["half", "text", "whole"])
def test_tls_without_close_notify_is_suspect(served: Served, data: bytes) -> None:
    """Over TLS, an end without the closing message is a cut: 426."""
    with served.session(tls=True) as ftp:
        sock = send_part(ftp, "scan.pdf", data)
        sock.shutdown(socket.SHUT_WR)  # a FIN below TLS, as when the program was killed
        with pytest.raises(ftplib.error_temp, match="^426"):
            ftp.voidresp()
        sock.close()
    assert served.published() == {}
    assert served.suspects() == [data]


def test_tls_with_close_notify_is_whole(served: Served) -> None:
    """Over TLS, the closing message proves that a text without an end mark is whole."""
    with served.session(tls=True) as ftp:
        assert ftp.storbinary("STOR a.txt", io.BytesIO(TEXT)).startswith("226")
    assert served.published() == {"a.txt": TEXT}


def test_killed_sender_of_a_known_format(served: Served) -> None:
    """A sender that is killed in the middle of a PDF leaves a suspect, and nothing that READ could see."""
    with served.session() as ftp:
        sock = send_part(ftp, "scan.pdf", HALF)
        sock.close()  # what a kernel does for a killed program: both connections end cleanly
    until(lambda: served.suspects() == [HALF], 5, "the suspect")
    assert served.published() == {}


def test_killed_sender_of_an_unknown_format(served: Served) -> None:
    """A text that nothing proves is not believed when the control connection falls with it."""
    with served.session() as ftp:
        send_part(ftp, "a.txt", TEXT).close()
    until(lambda: served.suspects() == [TEXT], 5, "the suspect")
    assert served.published() == {}


def test_living_sender_of_an_unknown_format(served: Served) -> None:
    """A text that nothing proves is believed when the control connection stays."""
    with served.session() as ftp:
        assert ftp.storbinary("STOR a.txt", io.BytesIO(TEXT)).startswith("226")
    assert served.published() == {"a.txt": TEXT}


def test_device_that_hangs_up_at_once(served: Served) -> None:
    """A device that sends everything and hangs up without waiting for 226 keeps its document, ten times of ten."""
    big = b"%PDF-1.4\n" + b"x" * 2_000_000 + b"\n%%EOF"
    for n in range(10):
        with served.session() as ftp:
            send_part(ftp, f"{n}.pdf", big).close()
    until(lambda: len(served.published()) == 10, 10, "ten documents")
    assert set(served.published().values()) == {big}


def test_announced_size(served: Served) -> None:
    """Fewer bytes than ALLO announced are suspect; the announced number is whole even without an end mark."""
    with served.session() as ftp:
        assert ftp.sendcmd(f"ALLO {len(PDF)}").startswith("200")
        with pytest.raises(ftplib.error_temp, match="^426"):
            ftp.storbinary("STOR short.pdf", io.BytesIO(PDF[:-1]))
        ftp.sendcmd(f"ALLO {len(HALF)}")
        assert ftp.storbinary("STOR damaged-at-home.pdf", io.BytesIO(HALF)).startswith("226")
    assert served.published() == {"damaged-at-home.pdf": HALF}


def test_abort(served: Served) -> None:
    """ABOR in the middle gives 426 and then 226; nothing is published."""
    with served.session() as ftp:
        sock = send_part(ftp, "scan.pdf", HALF)
        until(lambda: any(path.stat().st_size for path in served.staged()), 5, "some bytes to arrive")
        ftp.putcmd("ABOR")
        with pytest.raises(ftplib.error_temp, match="^426"):
            ftp.getresp()
        assert ftp.getresp().startswith("226")
        sock.close()
        assert ftp.sendcmd("NOOP").startswith("200")
    assert served.published() == {}


def test_an_empty_file_is_a_document(served: Served) -> None:
    """A file of 0 bytes whose sender lives is stored."""
    with served.session() as ftp:
        assert ftp.storbinary("STOR empty.txt", io.BytesIO(b"")).startswith("226")
    until(lambda: served.published() == {"empty.txt": b""}, 5, "the file, which is held as long as it may be a probe")


def test_judgement_covers_everything() -> None:
    """Every combination of ending, size and content has an outcome; no broken connection is ever published."""
    for ending, announced, content in itertools.product(Ending, (None, 5, 10, 20), Evidence):
        judged = judge(ending, 10, announced, content)
        assert judged.reason
        if ending not in {Ending.CLOSED, Ending.CLOSE_NOTIFY} or announced == 20:
            assert judged.outcome is Outcome.SUSPECT
        elif announced == 10:
            assert judged.outcome is Outcome.PUBLISH
