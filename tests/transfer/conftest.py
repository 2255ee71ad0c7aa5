"""Servers for the tests of sessions, and the connections that reach them."""

import contextlib
import ftplib
import shutil
from pathlib import Path

import pytest
from pytest_localftpserver.plugin import PytestLocalFTPServer
from scripted_server import fingerprint
from waiting import until

from transfer.client_ini import Connection, Security


def answering(server: PytestLocalFTPServer) -> PytestLocalFTPServer:
    """Return a server once it greets: all that its thread opens is open by then."""
    until(lambda: greets(server.server_port), what="the server to greet")
    return server


def greets(port: int) -> bool:
    """Tell whether a server answers on this port; a refused connection means not yet."""
    with ftplib.FTP(timeout=10) as session, contextlib.suppress(ConnectionRefusedError):
        return session.connect("127.0.0.1", port).startswith("220")
    return False


def emptied(server: PytestLocalFTPServer) -> PytestLocalFTPServer:
    """Return a server without what the last test left on it."""
    for path in Path(server.server_home).iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return server


@pytest.fixture(scope="module")
def plain_server(ftpserver: PytestLocalFTPServer) -> PytestLocalFTPServer:
    """A plain FTP server."""
    return answering(ftpserver)


@pytest.fixture(scope="module")
def tls_server(ftpserver_TLS: PytestLocalFTPServer) -> PytestLocalFTPServer:  # noqa: N803 - the plugin's name
    """A server with explicit TLS."""
    return answering(ftpserver_TLS)


@pytest.fixture
def plain(plain_server: PytestLocalFTPServer) -> Connection:
    """A connection to an empty plain FTP server."""
    server = emptied(plain_server)
    return Connection("127.0.0.1", server.server_port, server.username, server.password, Security.NONE)


@pytest.fixture
def tls(tls_server: PytestLocalFTPServer) -> Connection:
    """A connection to an empty server with explicit TLS, whose certificate is pinned."""
    server = emptied(tls_server)
    pinned = fingerprint(server.cert_path)
    return Connection("127.0.0.1", server.server_port, server.username, server.password, Security.TLS, pinned)


@pytest.fixture(params=["plain", "tls"])
def connection(request: pytest.FixtureRequest, plain: Connection, tls: Connection) -> Connection:
    """A connection to an empty server, plain and with TLS."""
    return plain if request.param == "plain" else tls
