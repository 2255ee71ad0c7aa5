"""Files of mails looked at by a real clamd: what it knows waits apart, and what it cannot look at does not pass."""

import io
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from firm_rooms import contents, folder
from mail_rooms import mail, run, use
from mail_server import MailServer
from navette_server import navette
from virus_scanner import MARK, VirusScanner, virus_scanner

from dossiers import mail_rules, mails, waiting_list
from dossiers.firm import Firm
from dossiers.mail_rule import Comparison, Field, Kind, Rule
from dossiers.rounds import Result
from transfer.failures import Failure

KINDS = pytest.mark.parametrize("kind", ["imap", "pop3"])


@pytest.fixture(scope="module")
def scanner() -> Iterator[VirusScanner]:
    """A scanner for all tests of this module."""
    with virus_scanner() as running:
        yield running


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.pdf", content)
    return made.getvalue()


def infected(name: str, content: bytes) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "jan@dupont.be", name
    message.set_content("Bonjour")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    message.add_attachment(b"%PDF-1.4\nclean\n%%EOF\n", maintype="application", subtype="pdf", filename="clean.pdf")
    return message.as_bytes()


@KINDS
@pytest.mark.parametrize("by_tcp", [False, True])
def test_an_infected_file_waits_apart_and_the_others_are_filed(
    firm: Firm, server: MailServer, scanner: VirusScanner, kind: str, by_tcp: bool
) -> None:
    """Whatever the rules say it lies in the quarantine with the signature's name; no dossier has it without a word."""
    firm.settings.set("mail.antivirus", f"127.0.0.1:{scanner.port}" if by_tcp else scanner.socket)
    mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SENDER, Comparison.ENDS, ("@dupont.be",), "000204"))
    use(firm, server, kind)
    server.put(infected("x.pdf", b"%PDF-1.4\n" + MARK + b"\n%%EOF\n"))
    assert run(firm) == Result(delivered=1, waiting=1)
    assert server.messages() == []
    assert list(contents(folder(firm))) == ["clean.pdf"]
    assert list(contents(firm.quarantine_folder)) == ["x.pdf"]
    assert contents(firm.waiting_folder) == {}
    (waits,) = waiting_list.waiting(firm)
    assert (waits.reason, waits.threat) == ("waiting.infected", "Navette.Test.Marker.UNOFFICIAL")
    assert "infected: Navette.Test.Marker" in navette(firm.home, "--language", "en", "waiting", "list").stdout
    with pytest.raises(Failure, match=r"waiting\.needs_a_word"):
        waiting_list.assign(firm, waits.id, "000204")
    waiting_list.assign(firm, waits.id, "000204", although_infected=True)
    assert sorted(contents(folder(firm))) == ["clean.pdf", "x.pdf"]
    waiting_list.take_back(firm, waits.id)
    assert list(contents(firm.quarantine_folder)) == ["x.pdf"]


def test_a_file_the_scanner_refuses_waits_with_its_words(firm: Firm, server: MailServer, scanner: VirusScanner) -> None:
    """One that is too large for it is neither passed nor lost."""
    firm.settings.set("mail.antivirus", scanner.socket)
    use(firm, server)
    server.put(infected("large.bin", b"\0" * 3_000_000))
    assert run(firm).waiting == 2
    (large,) = [one for one in waiting_list.waiting(firm) if one.name == "large.bin"]
    assert (large.reason, large.threat) == ("waiting.unscanned", "INSTREAM size limit exceeded.")
    assert list(contents(firm.quarantine_folder)) == ["large.bin"]


@KINDS
@pytest.mark.parametrize("address", ["/nowhere/clamd.sock", "127.0.0.1:1"])
def test_while_the_scanner_is_away_mails_stay(firm: Firm, server: MailServer, kind: str, address: str) -> None:
    """The round says so, nothing is filed, and nothing counts as a failed attempt."""
    firm.settings.set("mail.antivirus", address)
    use(firm, server, kind)
    server.put(mail("a", "a.pdf"))
    with pytest.raises(Failure, match=r"antivirus\.unreachable"):
        run(firm)
    assert len(server.messages()) == 1
    assert contents(firm.waiting_folder) == {}
    firm.settings.set("mail.antivirus", "")
    assert run(firm).waiting == 1


def test_a_scanner_that_goes_away_in_the_middle_lets_nothing_pass(firm: Firm, server: MailServer) -> None:
    """What it has not looked at stays in the mailbox, as if the round had not begun."""
    use(firm, server)
    server.put(mail("a", "a.pdf"), mail("b", "b.pdf"))
    with virus_scanner() as scanner:
        firm.settings.set("mail.antivirus", scanner.socket)
        ended = False

        def away(step: str) -> None:
            nonlocal ended
            if step == "mail.met" and not ended:
                ended = True
                firm.settings.set("mail.antivirus", "")
                Path(scanner.socket).unlink()

        with pytest.raises(Failure, match=r"antivirus\.unreachable"):
            run(firm, away)
    assert len(server.messages()) == 2
    assert contents(firm.waiting_folder) == {}
    assert mails.find(firm, 1).readings == 0
    assert run(firm).waiting == 2


def test_an_archive_is_looked_at_file_by_file(firm: Firm, server: MailServer, scanner: VirusScanner) -> None:
    """What a ZIP holds is judged by itself."""
    firm.settings.set("mail.antivirus", scanner.socket)
    use(firm, server)
    server.put(infected("files.zip", zipped(b"%PDF-1.4\n" + MARK + b"\n%%EOF\n")))
    run(firm)
    assert list(contents(firm.quarantine_folder)) == ["inside.pdf"]
