"""The mailbox by the command line, and in the service beside FTP."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_side import FirmSide
from mail_server import MailServer, mail_server
from navette_server import NAVETTE, ROOT, navette
from processes import end, started
from waiting import until

PLAIN = (Path(__file__).parent / "messages" / "plain-attachment.eml").read_bytes()


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    """A mail server for all tests of this module."""
    with mail_server() as running:
        yield running


@pytest.fixture
def firm(tmp_path: Path, server: MailServer) -> FirmSide:
    """A firm with one dossier, whose mailbox is the server's and holds one mail."""
    for path in [*server.maildir.glob("new/*"), *server.maildir.glob("cur/*")]:
        path.unlink()
    side = FirmSide(tmp_path / "firm")
    side.add_dossier("000204", "Boulangerie Dupont")
    side.mailbox(**server.settings())
    server.put(PLAIN)
    return side


def test_a_test_says_what_is_there_and_changes_nothing(firm: FirmSide, server: MailServer) -> None:
    """Connecting tells how many mails a round would take, and what it would do with them."""
    told = navette(firm.home, "--language", "en", "mail", "test").stdout
    assert "Mails in the mailbox: 1." in told
    assert "would read 1 mails" in told
    assert "DELETE" in told
    assert len(server.messages()) == 1
    assert "No mail was collected yet" in navette(firm.home, "--language", "en", "mail", "status").stdout


def test_once_collects_and_status_tells(firm: FirmSide, server: MailServer) -> None:
    """With one dossier everything goes there, and the mail is gone from the mailbox."""
    told = navette(firm.home, "--language", "en", "mail", "--once").stdout
    assert "facture.pdf" in told
    assert list(firm.documents("000204")) == ["facture.pdf"]
    assert server.messages() == []
    assert "taken out of the mailbox  1" in navette(firm.home, "--language", "en", "mail", "status").stdout


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "n'accepte pas"), ("nl", "aanvaardt"), ("en", "does not accept")]
)
def test_a_wrong_password_is_told_in_each_language(firm: FirmSide, language: str, said: str) -> None:
    """The sentence says who was refused where, and the password is nowhere."""
    firm.mailbox(password="not-this-one")
    told = navette(firm.home, "--language", language, "mail", "test", check=False)
    assert told.returncode == 2
    assert said in told.stderr
    assert "not-this-one" not in told.stdout + told.stderr


def test_a_missing_setting_is_named(firm: FirmSide) -> None:
    """The sentence says which one, and the command alone says how to use it."""
    firm.mailbox(host="")
    told = navette(firm.home, "mail", "--once", check=False)
    assert (told.returncode, "[mailbox.missing]" in told.stderr) == (2, True)
    assert navette(firm.home, "mail", check=False).returncode == 2


def test_the_service_collects_mail_beside_ftp(firm: FirmSide, server: MailServer, tmp_path: Path) -> None:
    """With mail ticked the service takes what is in the mailbox, although FTP is not set up at all."""
    firm.set(service__mail="yes")
    log = tmp_path / "service.log"
    process = started([*NAVETTE, "--home", firm.home, "service", "run"], log, cwd=ROOT)
    try:
        until(lambda: not server.messages(), seconds=60, what="the mail to be taken")
    finally:
        code = end(process, signal.SIGTERM)
    assert code == 0
    assert list(firm.documents("000204")) == ["facture.pdf"]
