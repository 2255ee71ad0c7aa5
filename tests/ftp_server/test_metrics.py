"""The measurements for Prometheus, read as Prometheus reads them."""

import ftplib
import os
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from navette_server import NavetteServer, navette
from ports import free_port, is_listening
from processes import descendants
from prometheus_client.parser import text_string_to_metric_families
from waiting import until

from ftp_server.room import FREE_SPACE

PDF = b"%PDF-1.4\n" + b"a page " * 1000 + b"\n%%EOF\n"
WRITE = "WRITE_570013"


def measured(port: int) -> dict[str, float]:
    """Return name -> value, of all processes together."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = answer.read().decode()
    assert WRITE not in text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_measured(tmp_path: Path, processes: int) -> None:
    """Sessions, deposits, refused logins, what waits, disk and certificate are measured over all processes."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    port = free_port()
    navette(server.home, "server", "settings", "metrics_port", str(port))
    server.start(None, "--processes", str(processes))
    try:
        until(lambda: is_listening(port), 20, "the measurements")
        with ftplib.FTP() as ftp:
            ftp.connect("127.0.0.1", server.port, timeout=20)
            with pytest.raises(ftplib.error_perm, match="530"):
                ftp.login(WRITE, "wrong")
            ftp.login(WRITE, server.passwords[WRITE])
            with ftp.transfercmd("STOR /scan.pdf") as sock:
                sock.sendall(PDF)
            assert ftp.voidresp().startswith("226")
            found = until(
                lambda: (now := measured(port)).get("navette_sessions_logged_in") == 1 and now,
                20,
                "the session to be told",
            )
        assert isinstance(found, dict)
        assert found["navette_processes"] == processes
        assert (
            found["navette_deposits_total"]
            == found["navette_documents_waiting"]
            == found["navette_deposits_today"]
            == 1
        )
        assert found["navette_deposited_bytes_total"] == found["navette_documents_waiting_bytes"] == len(PDF)
        assert (found["navette_failed_logins_total"], found["navette_suspects"]) == (1, 0)
        assert found["navette_banned_logins_total"] == 0
        assert found["navette_disk_free_bytes"] > found["navette_disk_floor_bytes"] == FREE_SPACE
        assert found["navette_certificate_end_time_seconds"] > found["navette_last_deposit_time_seconds"]
        outside = socket.gethostbyname(socket.gethostname())
        if not outside.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((outside, port), timeout=5)
    finally:
        server.stop()


def test_measurements_outlive_a_process(tmp_path: Path) -> None:
    """When a process of the server dies, the new ones are measured without anybody's help."""
    server = NavetteServer(tmp_path / "navette")
    server.add_accounts()
    port = free_port()
    server.start(None, "--processes", "2", "--metrics-port", str(port))
    try:
        until(lambda: is_listening(port), 20, "the measurements")
        until(lambda: measured(port)["navette_processes"] == 2, 20, "both processes to tell")
        before = set(descendants(server.pid))
        os.kill(min(before), signal.SIGKILL)
        until(lambda: measured(port) and not before & set(descendants(server.pid)), 20, "new processes")
        until(lambda: measured(port)["navette_processes"] == 2, 20, "both new processes to tell")
        assert measured(port)["navette_sessions"] == 0
    finally:
        server.stop()


def test_a_taken_port_of_measurements(tmp_path: Path) -> None:
    """A port for measurements that another program holds stops the start with a sentence."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        port = str(other.getsockname()[1])
        told = navette(tmp_path, "server", "run", "--port", str(free_port()), "--metrics-port", port, check=False)
    assert (told.returncode, "[server.metrics_port_taken]" in told.stderr) == (2, True)
