"""The connections that the firm uses itself and hands to its clients."""

import pytest

from dossiers import dossier as dossiers
from dossiers import ftp_access
from dossiers.firm import Firm
from transfer.client_ini import Connection, Security
from transfer.failures import PermanentFailure


@pytest.fixture
def connected(firm: Firm) -> Firm:
    """The firm with its server's settings."""
    for name, value in {
        "fiduciary.number": "570013",
        "ftp.host": "ftp.example.be",
        "ftp.port": "2121",
        "ftp.read_password": "lees",
        "ftp.write_password": "schrijf",
    }.items():
        firm.settings.set(name, value)
    return firm


def test_the_firm_reads_with_the_account_of_its_number(connected: Firm) -> None:
    """READ_ and the fiduciary's number is the login, over TLS, unless another is set."""
    assert ftp_access.read_connection(connected) == Connection("ftp.example.be", 2121, "READ_570013", "lees")
    connected.settings.set("ftp.read_user", "compta")
    connected.settings.set("ftp.security", "none")
    told = ftp_access.read_connection(connected)
    assert (told.user, told.security) == ("compta", Security.NONE)


def test_clients_deposit_into_their_dossiers_folder(connected: Firm) -> None:
    """With the firm's WRITE account, the dossier's number is the folder."""
    told = ftp_access.write_connection(connected, dossiers.find(connected, "000204"))
    assert told == (Connection("ftp.example.be", 2121, "WRITE_570013", "schrijf"), "/000204")


def test_a_dossier_with_its_own_account_has_its_folder_as_root(connected: Firm) -> None:
    """With the dossier's own WRITE account, clients see nothing else of the server."""
    dossier = dossiers.find(connected, "000204")
    ftp_access.give_write_account(connected, dossier, "WRITE_570013_000204", "eigen")
    told, folder = ftp_access.write_connection(connected, dossier)
    assert (told.user, told.password, folder) == ("WRITE_570013_000204", "eigen", "/")
    assert ftp_access.write_connection(connected, dossiers.find(connected, "000205"))[0].user == "WRITE_570013"


@pytest.mark.parametrize("name", ["fiduciary.number", "ftp.host", "ftp.read_password"])
def test_what_is_missing_is_named(connected: Firm, name: str) -> None:
    """A connection that cannot be made says which setting lacks."""
    connected.settings.set(name, "")
    with pytest.raises(PermanentFailure) as refused:
        ftp_access.read_connection(connected)
    assert (refused.value.code, refused.value.values) == ("ftp_access.missing", {"name": name})
