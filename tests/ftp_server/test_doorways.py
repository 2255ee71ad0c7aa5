"""The other ports of a server: implicit FTPS, old printers; and who may hold a port or a home."""

import ftplib
import io
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from navette_server import NavetteServer, navette
from ports import free_port
from served import FIDUCIARY, PDF, serving, trusting

from ftp_server.doorways import Way
from ftp_server.server import Server, ServerSettings
from transfer.failures import PermanentFailure


class ImplicitTls(ftplib.FTP_TLS):
    """ftplib, with TLS before the greeting."""

    def connect(self, host: str, port: int, timeout: float) -> str:  # type: ignore[override]
        self.host = host  # ftplib names it to TLS for each data connection
        self.sock = self.context.wrap_socket(socket.create_connection((host, port), timeout=timeout))
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def test_implicit_tls(tmp_path: Path) -> None:
    """A device that begins with TLS deposits over a port of its own, with its data protected from the start."""
    with serving(tmp_path / "server", implicit_port=0) as served:
        ftp = ImplicitTls(context=trusting())
        ftp.connect(*served.server.address_of(Way.IMPLICIT), timeout=20)
        assert ftp.welcome.startswith("220")
        ftp.login(f"WRITE_{FIDUCIARY}", served.passwords[f"WRITE_{FIDUCIARY}"])
        ftp._prot_p = True
        assert ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)).startswith("226")
        ftp.quit()
        assert served.published() == {"scan.pdf": PDF}


def old_printer() -> ssl.SSLContext:
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def test_old_printers(tmp_path: Path) -> None:
    """A printer that knows TLS 1.0 only deposits over the port made for it, and READ cannot log in there."""
    with serving(tmp_path / "server", old_printers_port=0) as served:
        host, port = served.server.address_of(Way.OLD_PRINTERS)
        ftp = ftplib.FTP_TLS(context=old_printer())
        ftp.connect(host, port, timeout=20)
        ftp.auth()
        ftp.login(f"WRITE_{FIDUCIARY}", served.passwords[f"WRITE_{FIDUCIARY}"])
        ftp.prot_p()
        assert ftp.storbinary("STOR scan.pdf", io.BytesIO(PDF)).startswith("226")
        ftp.quit()
        reader = ftplib.FTP_TLS(context=old_printer())
        reader.connect(host, port, timeout=20)
        reader.auth()
        with pytest.raises(ftplib.error_perm, match="^530.*scanners"):
            reader.login(f"READ_{FIDUCIARY}", served.passwords[f"READ_{FIDUCIARY}"])
        reader.close()
        assert served.published() == {"scan.pdf": PDF}


def test_one_server_to_a_home(tmp_path: Path) -> None:
    """A second server on the same folder is refused, whatever port it asks for; the first serves on."""
    with serving(tmp_path / "server") as served:
        with pytest.raises(PermanentFailure, match=r"server\.home_taken"):
            Server(ServerSettings(tmp_path / "server", port=0))
        with served.session() as ftp:
            assert ftp.sendcmd("NOOP").startswith("200")


def test_a_port_of_several_processes_is_not_shared_with_another_server(tmp_path: Path) -> None:
    """Two servers of several processes each cannot listen on one port, so that none takes the other's sessions."""
    first = NavetteServer(tmp_path / "first")
    first.add_accounts()
    first.start(None, "--processes", "2")
    try:
        told = navette(tmp_path / "other", "server", "run", "--port", first.port, "--processes", "2", check=False)
        assert (told.returncode, "[server.port_taken]" in told.stderr) == (2, True)
    finally:
        first.stop()


def test_a_port_that_is_none(tmp_path: Path) -> None:
    """A host that is not this machine's is said in a sentence, and the home is free again."""
    port = free_port()
    for _ in range(2):
        told = navette(tmp_path, "server", "run", "--host", "192.0.2.1", "--port", port, check=False)
        assert (told.returncode, "[server.port_taken]" in told.stderr) == (2, True)
