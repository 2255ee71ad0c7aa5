"""``navette alarms`` beside a real server of Navette: doubtful files, its certificate, and what a person is told."""

import contextlib
import ftplib

from firm_side import FirmSide
from navette_server import FIDUCIARY, NavetteServer, navette
from sample_documents import pdf

from dossiers.firm import Firm
from fetcher.expiries import certificate_ends
from transfer.client_ini import Security


def leave_half(server: NavetteServer) -> None:
    """Deposit half a document, which the server puts aside."""
    connection = server.connection(f"WRITE_{FIDUCIARY}", Security.NONE)
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", connection.port)
        ftp.login(connection.user, connection.password)
        data = ftp.transfercmd("STOR half.pdf")
        data.sendall(pdf("half", padding=50_000)[:20_000])
        data.close()
        with contextlib.suppress(ftplib.error_temp):
            ftp.voidresp()


def test_doubtful_files_and_the_certificate_are_alarms_of_the_firm_beside_the_server(
    navette_server: NavetteServer,
) -> None:
    """``check`` looks from outside the service, says what is wrong in words and ends with 1; ``list`` remembers."""
    firm = FirmSide(navette_server.home)
    firm.collect_from(navette_server.connection(f"READ_{FIDUCIARY}"), alarms__free_gib="0")
    told = navette(firm.home, "--language", "fr", "alarms", "check")
    assert (told.returncode, told.stdout) == (0, "Aucune alerte.\n")
    leave_half(navette_server)
    with Firm(firm.home) as opened:
        (end,) = certificate_ends(opened).values()
        assert end is not None
        days = (end - opened.clock()).days
    firm.set(alarms__days_before=str(min(365, days + 2)) if days < 365 else "365")
    told = navette(firm.home, "--language", "fr", "alarms", "check", check=False)
    assert told.returncode == 1
    assert "1 fichiers douteux attendent une décision sur le serveur FTP" in told.stdout
    assert (f"127.0.0.1:{navette_server.port} : fin le " in told.stdout) == (days < 365)
    navette(firm.home, "settings", "set", "alarms.suspects", "0")
    navette(firm.home, "--language", "fr", "alarms", "check", check=False)
    listed = navette(firm.home, "--language", "fr", "alarms", "list").stdout
    assert "jusqu'au " in listed
    assert "fichiers douteux" in listed


def test_a_test_without_a_channel_says_what_to_set(navette_server: NavetteServer) -> None:
    """Nobody believes to be told who is not."""
    told = navette(navette_server.home, "alarms", "test", check=False)
    assert (told.returncode, "[alarms.no_channel]" in told.stderr) == (2, True)
