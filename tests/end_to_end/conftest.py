"""The whole way of a document, from a client or scanner to the firm; never with less than real programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from client_side import ClientSide
from firm_side import FirmSide
from navette_server import FIDUCIARY, NavetteServer

DOSSIER = "000204"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> NavetteServer:
    """A home with accounts, one dossier and the firm's settings; stopped, to be copied by each test."""
    server = NavetteServer(tmp_path_factory.mktemp("prepared") / "navette")
    server.add_accounts()
    server.start()  # makes the certificate that the settings name
    server.stop()
    firm = FirmSide(server.home)
    firm.add_dossier(DOSSIER, "Boulangerie Dupont")
    firm.collect_from(server.connection(f"READ_{FIDUCIARY}"))
    return server


@pytest.fixture
def navette_server(prepared: NavetteServer, tmp_path: Path) -> Iterator[NavetteServer]:
    """Navette's own FTP server, running as a program of its own."""
    server = prepared.copied_to(tmp_path / "navette")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def firm(navette_server: NavetteServer) -> FirmSide:
    """The firm beside that server."""
    return FirmSide(navette_server.home)


@pytest.fixture
def client(navette_server: NavetteServer, tmp_path: Path) -> ClientSide:
    """A client with the INI of the dossier."""
    side = ClientSide(tmp_path / "client")
    side.give_ini(navette_server.connection(f"WRITE_{FIDUCIARY}"), f"/{DOSSIER}")
    return side
