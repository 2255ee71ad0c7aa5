"""From a scanner straight to the dossier, by lftp, curl and ncftp; never with an uploader in between."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from firm_side import FirmSide
from navette_server import NavetteServer
from sample_documents import pdf, picture
from scanners import SCANNERS, lftp_command
from waiting import until

from transfer.client_ini import Connection, Security
from transfer.ftp_session import FtpSession


def _scans(folder: Path) -> dict[str, bytes]:
    """Write what a scanner sends: a few pages of each of its formats, and a name with accents."""
    scans = {
        "SCN_0001.pdf": pdf("page", pages=3, padding=400_000),
        "SCN_0002.tif": picture("TIFF", "fax", pages=2),
        "SCN_0003.jpg": picture("JPEG", "photo"),
        "reçu n 4.pdf": pdf("reçu"),
    }
    folder.mkdir()
    for name, content in scans.items():
        (folder / name).write_bytes(content)
    return scans


def _account(server: NavetteServer) -> Connection:
    return server.connection("WRITE_570013", Security.NONE)


@pytest.mark.parametrize("kind", SCANNERS)
def test_what_a_scanner_pushes_reaches_the_dossier(
    kind: str, navette_server: NavetteServer, firm: FirmSide, tmp_path: Path
) -> None:
    """Each client that scanners are made of deposits its files, and they stand in the dossier with their bytes."""
    scans = _scans(tmp_path / "scans")
    SCANNERS[kind](_account(navette_server), "/000204", sorted((tmp_path / "scans").iterdir()))
    firm.fetch()
    assert firm.documents("000204") == scans


@pytest.mark.parametrize("kind", SCANNERS)
def test_what_a_scanner_pushes_without_a_dossier_waits(
    kind: str, navette_server: NavetteServer, firm: FirmSide, tmp_path: Path
) -> None:
    """Files that a scanner puts at the root of the account wait for a dossier, whole."""
    scans = _scans(tmp_path / "scans")
    SCANNERS[kind](_account(navette_server), "/", sorted((tmp_path / "scans").iterdir()))
    firm.fetch()
    assert firm.waiting_documents() == scans
    assert firm.documents("000204") == {}


def test_two_scanners_that_push_one_name_at_one_moment_both_succeed(
    navette_server: NavetteServer, firm: FirmSide, tmp_path: Path
) -> None:
    """Five times two scanners send another scan.pdf at the same moment, and the dossier holds all ten."""
    sent = []
    for n in range(5):
        threads = []
        for who in ("a", "b"):
            path = tmp_path / f"{who}{n}" / "scan.pdf"
            path.parent.mkdir()
            path.write_bytes(pdf(f"{who} {n}", padding=200_000))
            sent.append(path.read_bytes())
            push = SCANNERS["lftp" if who == "a" else "curl"]
            threads.append(threading.Thread(target=push, args=(_account(navette_server), "/000204", [path])))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    firm.fetch()
    delivered = firm.documents("000204")
    assert sorted(delivered.values()) == sorted(sent)
    assert {"scan.pdf", "scan(2).pdf", "scan(10).pdf"} <= delivered.keys()


@pytest.mark.crash
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_nothing_is_published_of_a_scanner_killed_in_the_middle(
    tls: bool, navette_server: NavetteServer, firm: FirmSide, tmp_path: Path
) -> None:
    """When lftp is killed while it sends, neither the firm's account nor the dossier ever sees the half file."""
    path = tmp_path / "grand.pdf"
    path.write_bytes(pdf("grand", padding=30_000_000))
    slowly = f'set net:limit-total-rate 0:3000000; cd /000204; put "{path}"'
    scanner = subprocess.Popen(lftp_command(_account(navette_server), slowly, tls), start_new_session=True)
    try:
        until(lambda: _bytes_below(navette_server.home / "server") > 4_000_000, what="a part of the file to arrive")
    finally:
        os.killpg(scanner.pid, signal.SIGKILL)
        scanner.wait()
    until(lambda: not _sockets_of(navette_server), what="the server to notice")
    with FtpSession(navette_server.connection("READ_570013")) as session:
        assert list(session.walk("/")) == []
    firm.fetch()
    assert firm.received().total() == 0
    assert navette_server.running


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".db")


def _sockets_of(server: NavetteServer) -> list[str]:
    """Return the established connections to the server's control port."""
    port = f":{server.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[1].endswith(port) and line.split()[3] == "01"]
