"""From the client's folder to the dossier's, by uploader, server and round; never by a shortcut between them."""

from client_side import ClientSide
from firm_side import FirmSide, fingerprints
from navette_server import NavetteServer
from sample_documents import pdf, sample_set

from transfer.ftp_session import FtpSession
from transfer.safe_names import safe_name, twin_key


def test_every_document_reaches_the_dossier_as_it_was(
    client: ClientSide, firm: FirmSide, navette_server: NavetteServer
) -> None:
    """Files of each kind and name, of 0 bytes and of 200 MB, stand in the dossier, and nowhere else any more."""
    paths = sample_set(client.folder, large=200 * 1024 * 1024)
    names, sent = {twin_key(safe_name(path.name)) for path in paths}, fingerprints(paths)
    told = client.upload()
    assert told.code == 0, told.events
    assert {event["proof"] for event in told.of("sent")} == {"hash"}
    assert client.left() == []
    firm.fetch()
    assert firm.received() == sent
    assert firm.waiting_documents() == {}
    assert names <= {twin_key(name) for name in firm.documents("000204")}
    with FtpSession(navette_server.connection("READ_570013")) as session:
        assert list(session.walk("/")) == []


def test_a_second_round_brings_only_what_is_new(client: ClientSide, firm: FirmSide) -> None:
    """Rounds with nothing to do change nothing, and a file of a name used before stands beside the first."""
    for text in ("january", "february"):
        (client.folder / "relevé.pdf").write_bytes(pdf(text))
        assert client.upload().code == 0
        firm.fetch()
        firm.fetch()
    assert firm.documents("000204") == {"relevé.pdf": pdf("january"), "relevé(2).pdf": pdf("february")}


def test_a_dossier_account_deposits_only_in_its_dossier(
    navette_server: NavetteServer, client: ClientSide, firm: FirmSide
) -> None:
    """What the WRITE account of one dossier sends, wherever it says, is delivered to that dossier."""
    navette_server.add_accounts(dossier="000204")
    firm.add_dossier("000377", "Garage Peeters")
    for remote_folder in ("/", "/000377"):
        client.give_ini(navette_server.connection("WRITE_570013_000204"), remote_folder)
        (client.folder / f"{len(remote_folder)}.pdf").write_bytes(pdf(remote_folder))
        assert client.upload().code == 0
    firm.fetch()
    assert firm.documents("000204") == {"1.pdf": pdf("/"), "7.pdf": pdf("/000377")}
    assert firm.documents("000377") == {}


def test_a_document_for_no_known_dossier_waits(
    navette_server: NavetteServer, client: ClientSide, firm: FirmSide
) -> None:
    """A file for a dossier the firm does not know, and one for no dossier, wait and are in no dossier's folder."""
    for folder in ("/999999", "/"):
        client.give_ini(navette_server.connection("WRITE_570013"), folder)
        (client.folder / "scan.pdf").write_bytes(pdf(folder))
        assert client.upload().code == 0
    firm.fetch()
    assert sorted(firm.waiting_documents().values()) == sorted([pdf("/999999"), pdf("/")])
    assert firm.documents("000204") == {}
