"""The packed programs, built once for all tests that run them."""

from pathlib import Path

import pytest
from navette_server import NavetteServer
from packed import Client, built, client_of


@pytest.fixture(scope="session")
def linux_dist() -> Path:
    """The folder with the programs for Linux."""
    return built("linux")


@pytest.fixture
def client(navette_server: NavetteServer, tmp_path: Path) -> Client:
    """A client with three documents and the INI of a running server."""
    return client_of(navette_server, tmp_path / "client")
