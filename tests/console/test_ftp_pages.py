"""The pages of the FTP server and of what clients are handed, with a real server beside the console."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_site import Site, Visitor, running_console
from navette_server import NavetteServer
from sample_documents import pdf
from waiting import until

from dossiers import dossier as dossiers
from dossiers import handed_out
from dossiers.firm import Firm
from dossiers.ftp_access import write_connection
from transfer.client_ini import Connection, interpret, sections
from transfer.failures import Failure
from transfer.ftp_session import FtpSession


@pytest.fixture
def server(home: Path) -> Iterator[NavetteServer]:
    """The firm's own server, in the same home, with the settings that reach it."""
    running = NavetteServer(home)
    running.add_accounts()
    running.start()
    with Firm(home) as firm:
        for name, value in settings(running).items():
            firm.settings.set(name, value)
        firm.settings.set("fiduciary.number", "570013")
    yield running
    running.stop()


def settings(server: NavetteServer) -> dict[str, str]:
    """Return what the page is told to reach a server."""
    return {
        "ftp.host": server.host,
        "ftp.port": str(server.port),
        "ftp.security": "tls",
        "ftp.fingerprint": server.fingerprint,
        "ftp.passive": "yes",
        "ftp.read_user": "READ_570013",
        "ftp.read_password": server.passwords["READ_570013"],
        "ftp.write_user": "WRITE_570013",
        "ftp.write_password": server.passwords["WRITE_570013"],
        "fetch.connections": "4",
        "fetch.settle_seconds": "0",
    }


@pytest.fixture
def admin(server: NavetteServer, home: Path) -> Iterator[Visitor]:
    """The administrator before a console with its own server."""
    with running_console(home) as site:
        yield site.signed_in("anne")


def typed(server: NavetteServer, **more: str) -> dict[str, str]:
    """Return the form as it is filled in, passwords twice."""
    said = settings(server)
    again = {"read_again": said["ftp.read_password"], "write_again": said["ftp.write_password"]}
    return said | again | {"try": "yes"} | {key.replace("__", "."): value for key, value in more.items()}


def test_the_trial_says_how_each_step_went_and_shows_no_password(server: NavetteServer, admin: Visitor) -> None:
    """All six steps pass on a server that is well, and neither page holds a password."""
    for answer in (admin.get("/ftp"), admin.post("/ftp", typed(server))):
        assert answer.status == 200
        assert not [password for password in server.passwords.values() if password in answer.text]
    assert answer.text.count("state good") == 6
    assert "All is well" in answer.text
    assert server.published() == {}


def test_a_certificate_is_shown_and_pinned(server: NavetteServer, admin: Visitor) -> None:
    """An unknown certificate stops the trial; pinning what was shown lets it pass."""
    admin.get("/ftp")
    refused = admin.post("/ftp", typed(server, ftp__fingerprint=""))
    assert "session.certificate_refused" in refused.text
    assert server.fingerprint in refused.text
    assert refused.text.count("not tried") == 5
    assert "All is well" in admin.post("/ftp/pin", {"ftp.fingerprint": server.fingerprint}).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"read_again": "other"}, "read_again"),
        ({"write_again": ""}, "write_again"),
        ({"ftp__port": "70000"}, "ftp.port"),
        ({"ftp__security": "ssl"}, "ftp.security"),
        ({"ftp__write_user": "READ_570013"}, "ftp.write_user"),
        ({"ftp__read_user": "WRITE_570013"}, "ftp.read_user"),
    ],
)
def test_a_wrong_setting_is_said_beside_its_field(
    server: NavetteServer, admin: Visitor, home: Path, wrong: dict[str, str], field: str
) -> None:
    """Nothing of a form with a fault is kept, and no password comes back."""
    admin.get("/ftp")
    answer = admin.post("/ftp", typed(server, ftp__host="elsewhere.example", **wrong))
    assert answer.status == 422
    assert f'id="fault-{field}"' in answer.text
    assert server.passwords["READ_570013"] not in answer.text
    with Firm(home) as firm:
        assert firm.settings.text("ftp.host") == server.host


def test_an_empty_password_keeps_the_one_there_is(server: NavetteServer, admin: Visitor) -> None:
    """A form that is sent again without passwords changes none."""
    admin.get("/ftp")
    without = {"ftp.read_password": "", "ftp.write_password": "", "read_again": "", "write_again": ""}
    assert "All is well" in admin.post("/ftp", typed(server) | without).text


def test_a_doubtful_file_is_published_from_the_page(server: NavetteServer, admin: Visitor) -> None:
    """What waits aside is listed with its reason; publishing it lets the service have it, discarding bins it."""
    torn = pdf("torn")[:-30]
    with FtpSession(server.connection("WRITE_570013")) as session:
        for name in ("torn.pdf", "other.pdf"):
            with pytest.raises(Failure):
                session.store(io.BytesIO(torn + name.encode()), f"/000204/{name}")
    shown = admin.get("/ftp/aside").text
    found = dict(
        zip(re.findall(r"/000204/(\w+)\.pdf", shown), re.findall(r'/ftp/aside/([^"]+)"', shown)[::2], strict=True)
    )
    assert set(found) == {"torn", "other"}
    assert "published" in admin.follow(f"/ftp/aside/{found['torn']}", {"deed": "release"}).text
    assert "in the trash" in admin.follow(f"/ftp/aside/{found['other']}", {"deed": "discard"}).text
    assert list(server.published()) == ["000204/torn.pdf"]
    assert "brought back" in admin.follow(f"/ftp/aside/{found['other']}", {"deed": "restore"}).text


def test_a_dossier_gets_its_account_and_hands_it_out(server: NavetteServer, admin: Visitor, home: Path) -> None:
    """The INI that is downloaded deposits into its dossier; who got it is listed; revoked, it no longer logs in."""
    admin.get("/dossiers/000204")
    assert "WRITE_570013_000204" in admin.follow("/dossiers/000204/account").text
    admin.get("/dossiers/000204/handing")
    answer = admin.post("/dossiers/000204/handing/ini", {"receiver": "Jean Martin", "language": "nl"})
    assert answer.headers["content-disposition"] == 'attachment; filename="envoi.ini"'
    ini = interpret(sections(answer.body, "envoi.ini"), "envoi.ini")
    assert (ini.connection.user, ini.language) == ("WRITE_570013_000204", "nl")
    with FtpSession(ini.connection) as session:
        session.store(io.BytesIO(pdf("facture")), "/facture.pdf")
    assert list(server.published()) == ["000204/facture.pdf"]
    shown = admin.get("/dossiers/000204/handing").text
    assert "Jean Martin" in shown
    assert ini.connection.password not in shown
    assert "1 handings-out" in admin.follow("/dossiers/000204/handing/revoke").text
    until(lambda: refused(ini.connection), what="the server to hear of the new password")
    with Firm(home) as firm:
        assert [each.revoked_by for each in handed_out.of_dossier(firm, "000204")] == ["anne"]
        again = write_connection(firm, dossiers.find(firm, "000204"))[0]
    with FtpSession(again):
        pass


def refused(connection: Connection) -> bool:
    """Tell whether nobody gets in with this password."""
    try:
        with FtpSession(connection):
            return False
    except Failure as failure:
        return failure.code == "session.login_refused"


@pytest.mark.parametrize(("code", "title"), [("fr", "Fiche pour votre scanner"), ("nl", "Fiche voor uw scanner")])
def test_a_scanner_sheet_is_in_the_clients_language(admin: Visitor, home: Path, code: str, title: str) -> None:
    """It shows what is typed into the device with a QR code, and never the READ account."""
    admin.get("/dossiers/000204/handing")
    shown = admin.post("/dossiers/000204/handing/sheet", {"language": code}).text
    with Firm(home) as firm:
        password = write_connection(firm, dossiers.find(firm, "000204"))[0].password
    assert f"<h1>{title}</h1>" in shown
    assert password in shown
    assert "<svg" in shown
    assert "READ_" not in shown


def test_a_kit_and_a_canon_address_book_are_downloads(admin: Visitor, home: Path) -> None:
    """The kit holds the program, its INI and instructions; without a program it is refused in a sentence."""
    admin.get("/dossiers/000204/handing")
    assert "kit.no_program" in admin.post("/dossiers/000204/handing/kit").text
    (home / "program").mkdir()
    (home / "program" / "uploader.exe").write_bytes(b"MZ")
    with zipfile.ZipFile(io.BytesIO(admin.post("/dossiers/000204/handing/kit").body)) as kit:
        assert {name.rpartition("/")[2] for name in kit.namelist()} == {"uploader.exe", "envoi.ini", "LISEZ-MOI.html"}
    own = admin.post("/dossiers/000204/handing/canon").text
    assert own.count("remotefilesystem") == 1
    admin.get("/canon-address-book")
    assert admin.post("/canon-address-book").text.count("remotefilesystem") == 3


def test_without_a_server_beside_it_the_page_is_for_anothers(anne: Visitor, site: Site) -> None:
    """Nothing of our own server is offered, and what needs one is refused in a sentence."""
    assert "/ftp/aside" not in anne.get("/ftp").text
    assert "ftp_page.no_own_server" in anne.get("/ftp/aside").text
    assert "ftp_page.no_own_server" in anne.post("/ftp/renew", {"kind": "READ"}).text
    assert "ftp_access.missing" in anne.get("/dossiers/000204/handing").text
    assert 'id="fault-ftp.host"' in anne.post("/ftp", {"ftp.port": "21", "ftp.security": "tls", "try": "yes"}).text
