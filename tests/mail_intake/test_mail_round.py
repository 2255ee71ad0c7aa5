"""The round over a real mailbox, by IMAP and by POP3: where each file goes, and what is left in the mailbox."""

import imaplib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from firm_rooms import Clock, add_dossiers, contents, folder, opened
from mail_rooms import content, mail, main_box, run, use
from mail_server import PASSWORD, USER, MailServer
from peers import self_signed

from dossiers import addresses, mail_rules, mails, pauses, waiting_list
from dossiers.dossier import Dossier
from dossiers.dossier import add as add_dossier
from dossiers.firm import Firm
from dossiers.mail_rule import Comparison, Field, Kind, Rule
from dossiers.rounds import Result
from mail_intake import round as mail_round
from mail_intake.access import access
from mail_intake.access import opened as opened_mailbox
from mail_intake.imap_mailbox import ImapMailbox
from mail_intake.message import Message, read
from transfer.failures import Failure

MESSAGES = Path(__file__).parent / "messages"
KINDS = pytest.mark.parametrize("kind", ["imap", "pop3"])


@pytest.fixture
def clock() -> Clock:
    """A clock that the test turns."""
    return Clock()


@pytest.fixture
def firm(tmp_path: Path, clock: Clock, server: MailServer) -> Iterator[Firm]:
    """A firm with two dossiers and a rule for one of them, whose mailbox is the server's."""
    with opened(tmp_path / "home", clock) as firm:
        add_dossiers(firm, "000204", "000205")
        mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SENDER, Comparison.ENDS, ("@dupont.be",), "000204"))
        yield firm


def text_ends(raw: bytes) -> bytes:
    """Return bytes without what a mail server may change: line ends, and one more at the end."""
    return raw.replace(b"\r\n", b"\n").rstrip(b"\n")


@KINDS
def test_every_message_of_the_corpus_comes_to_rest(firm: Firm, server: MailServer, kind: str) -> None:
    """What is read in each message is in a dossier or waits, once; mails without a file are left where they are."""
    use(firm, server, kind)
    originals = {path.stem: path.read_bytes() for path in MESSAGES.glob("*.eml") if path.stat().st_size}
    del originals["bare-line-feeds"]  # servers hand it out with the line ends of another
    server.put(*originals.values())
    wanted = [part.content for raw in originals.values() for part in read(raw).offered]
    result = run(firm)
    assert (result.delivered + result.waiting, result.failed) == (len(wanted), 0)
    files = [*contents(folder(firm)).values(), *contents(firm.waiting_folder).values()]
    assert sorted(map(text_ends, files)) == sorted(map(text_ends, wanted))
    left = [raw for raw in originals.values() if not read(raw).offered]
    assert len(server.messages()) == len(left)
    assert run(firm) == Result()
    assert len(server.messages()) == len(left)


@KINDS
def test_rules_decide_and_each_decision_is_on_record(firm: Firm, server: MailServer, kind: str) -> None:
    """A file goes where its rule says, and the record says which rule it was and what was left out."""
    use(firm, server, kind)
    mail_rules.add(firm, Rule(Kind.EXCLUSION, Field.ATTACHMENT, Comparison.STARTS, ("promo",)))
    server.put(mail("a", "facture.pdf", "promo.pdf"), mail("b", "x.pdf", sender="eve@evil.example"))
    assert run(firm) == Result(delivered=1, waiting=1)
    assert contents(folder(firm)) == {"facture.pdf": content("a", "facture.pdf")}
    (waits,) = waiting_list.waiting(firm)
    assert (waits.name, waits.reason) == ("x.pdf", "waiting.no_rule")
    told = [(each.name, each.action, each.reason, each.dossier, each.rule) for each in mails.decisions(firm, 1)]
    assert told == [
        ("facture.pdf", "deliver", "mail.by_rule", "000204", 1),
        ("promo.pdf", "ignore", "mail.excluded", None, 2),
    ]
    assert server.messages() == []


@KINDS
def test_the_same_mail_twice_is_one_mail(firm: Firm, server: MailServer, kind: str) -> None:
    """A copy, byte by byte, is not delivered again, and goes from the mailbox as well."""
    use(firm, server, kind)
    server.put(*[mail("a", "facture.pdf")] * 3)
    assert run(firm).delivered == 1
    run(firm)
    assert server.messages() == []
    server.put(mail("a", "facture.pdf"))
    assert run(firm) == Result()
    assert server.messages() == []
    assert list(contents(folder(firm))) == ["facture.pdf"]


def test_new_numbers_double_nothing(firm: Firm, server: MailServer, clock: Clock) -> None:
    """A server that numbers its mails anew is noticed, and its mails are recognised by their bytes."""
    use(firm, server, after="keep")
    server.put(*[mail(name, f"{name}.pdf") for name in "abc"])
    assert run(firm).delivered == 3
    server.renumber()
    server.put(mail("d", "d.pdf"))
    assert run(firm).delivered == 1
    assert len(server.messages()) == 4
    clock.turn(days=31)
    run(firm)
    assert server.messages() == []
    assert sorted(contents(folder(firm))) == ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]


class _Stop(BaseException):
    pass


def put_again(server: MailServer) -> None:
    """Take all messages out of the mailbox and put them back, as a filter or a person does: they get new numbers."""
    there = server.messages()
    for path in [*server.maildir.glob("new/*"), *server.maildir.glob("cur/*")]:
        path.unlink()
    server.put(*there)


@pytest.mark.parametrize("again", [MailServer.renumber, put_again])
def test_new_numbers_after_a_crash_double_nothing(
    firm: Firm, server: MailServer, again: Callable[[MailServer], None]
) -> None:
    """Numbered anew between a crash and the next round: what was stored is known by the mail's bytes."""
    use(firm, server)
    server.put(*[mail(name, f"{name}.pdf", f"{name}2.pdf") for name in "abc"])

    def die(step: str) -> None:
        if step == "mail.unlinked":
            raise _Stop

    with pytest.raises(_Stop):
        run(firm, die)
    again(server)
    run(firm)
    assert sorted(contents(folder(firm))) == ["a.pdf", "a2.pdf", "b.pdf", "b2.pdf", "c.pdf", "c2.pdf"]
    assert server.messages() == []


@KINDS
def test_a_mail_that_was_away_for_a_round_is_the_same_mail(firm: Firm, server: MailServer, kind: str) -> None:
    """Half stored, then taken out of the mailbox for a round, then put back: each file is there once."""
    use(firm, server, kind)
    server.put(mail("a", "a.pdf", "b.pdf"))

    def die(step: str) -> None:
        if step == "mail.at_rest":
            raise _Stop

    with pytest.raises(_Stop):
        run(firm, die)
    (raw,) = server.messages()
    for path in [*server.maildir.glob("new/*"), *server.maildir.glob("cur/*")]:
        path.unlink()
    assert run(firm) == Result()
    server.put(raw)
    assert run(firm) == Result()
    assert sorted(contents(folder(firm))) == ["a.pdf", "b.pdf"]
    assert server.messages() == []


@KINDS
def test_kept_mails_go_when_their_days_are_over(firm: Firm, server: MailServer, clock: Clock, kind: str) -> None:
    """A mail stays for the days that were set, is not taken again meanwhile, and then goes."""
    use(firm, server, kind, after="keep", keep_days="3")
    server.put(mail("a", "a.pdf"))
    assert run(firm).delivered == 1
    clock.turn(days=2)
    assert run(firm) == Result()
    assert len(server.messages()) == 1
    clock.turn(days=1)
    assert run(firm) == Result()
    assert server.messages() == []


def test_mails_can_be_moved_to_a_folder(firm: Firm, server: MailServer) -> None:
    """With move, a mail whose files are at rest lies in the other folder, accents and all."""
    server.make_folder("Trait&AOk-")
    use(firm, server, after="move", move_to="Traité")
    server.put(mail("a", "a.pdf"))
    assert run(firm).delivered == 1
    assert server.messages() == []
    assert [raw.replace(b"\r\n", b"\n") for raw in server.messages("Trait&AOk-")] == [mail("a", "a.pdf")]


def test_a_folder_that_is_not_there_keeps_the_mail(firm: Firm, server: MailServer) -> None:
    """The failure is told, and the mail is neither lost nor taken twice."""
    use(firm, server, after="move", move_to="Nowhere")
    server.put(mail("a", "a.pdf"))
    with pytest.raises(Failure, match=r"mailbox\.(no_folder|refused_command)"):
        run(firm)
    assert len(server.messages()) == 1
    use(firm, server, after="delete")
    run(firm)
    assert server.messages() == []
    assert list(contents(folder(firm))) == ["a.pdf"]


def test_what_others_marked_as_deleted_is_not_expunged(firm: Firm, server: MailServer) -> None:
    """A person's own marks in the same folder stay marks, and no mail is marked as read."""
    use(firm, server, after="keep")
    server.put(mail("a", "a.pdf"), mail("b", "b.pdf"))
    other = imaplib.IMAP4(server.host, server.imap)
    other.login(USER, PASSWORD)
    other.select("INBOX")
    other.store("1", "+FLAGS", "\\Deleted")
    assert run(firm).delivered == 1
    _, told = other.fetch("2", "(FLAGS)")
    assert b"Seen" not in (told[0] or b"")
    use(firm, server, after="delete")
    run(firm)
    other.noop()
    _, left = other.search(None, "ALL")
    assert left == [b"1"]
    other.logout()


def test_a_crash_between_mark_and_expunge_leaves_nothing(firm: Firm, server: MailServer) -> None:
    """A mail at rest that is already marked as deleted is expunged by the next round."""
    use(firm, server, after="keep", keep_days="1")
    server.put(mail("a", "a.pdf"))
    run(firm)
    for path in server.maildir.glob("cur/*"):
        path.rename(f"{path}T")
    use(firm, server, after="delete")
    assert run(firm) == Result()
    assert server.messages() == []


@KINDS
def test_a_mail_whose_dossier_is_away_keeps_no_other_back(firm: Firm, server: MailServer, kind: str) -> None:
    """A folder that cannot be reached keeps its mail in the mailbox, and only that one, until it can be reached."""
    use(firm, server, kind)
    away = firm.home / "drive"
    add_dossier(firm, Dossier("000900", "Away", "fr", f"{away}/{{number}}"))
    mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.EQUALS, ("away",), "000900", 1))
    server.put(mail("away", "x.pdf"), *[mail(f"m{n}", f"{n}.pdf") for n in range(25)])
    assert run(firm) == Result(delivered=25, paused=1)
    assert [(pause.dossier, pause.documents) for pause in pauses.every(firm, "mail:main")] == [("000900", 1)]
    assert len(server.messages()) == 1
    assert run(firm) == Result(paused=1)
    away.mkdir()
    assert run(firm) == Result(delivered=1)
    assert pauses.every(firm, "mail:main") == []
    assert server.messages() == []
    assert contents(away / "000900") == {"x.pdf": content("away", "x.pdf")}


@KINDS
def test_a_mail_that_breaks_its_reader_waits_as_a_whole(
    firm: Firm, server: MailServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three attempts it is on the waiting list as it came, stays in the mailbox, and never stopped the others."""
    use(firm, server, kind)
    poison = mail("poison", "x.pdf")

    def fragile(raw: bytes) -> Message:
        if b"Subject: poison" in raw:
            raise ValueError("poison")
        return read(raw)

    monkeypatch.setattr(mail_round, "read", fragile)
    server.put(poison, mail("b", "b.pdf"))
    assert run(firm) == Result(delivered=1, failed=1)
    assert run(firm) == Result()  # not due yet
    assert run(firm, put_off=False) == Result(failed=1)
    assert run(firm, put_off=False) == Result(waiting=1)
    assert run(firm, put_off=False) == Result()
    (waits,) = waiting_list.waiting(firm)
    assert waits.reason == "waiting.unreadable_mail"
    assert waits.final.read_bytes().replace(b"\r\n", b"\n") == poison
    assert len(server.messages()) == 1


def test_a_mail_that_someone_takes_away_is_forgotten(firm: Firm, server: MailServer) -> None:
    """What could not be delivered and is no longer in the mailbox wants nothing more."""
    use(firm, server)
    add_dossier(firm, Dossier("000900", "Away", "fr", f"{firm.home}/drive/{{number}}"))
    mail_rules.add(firm, Rule(Kind.INCLUSION, Field.SUBJECT, Comparison.EQUALS, ("away",), "000900", 1))
    server.put(mail("away", "x.pdf"))
    assert run(firm).paused == 1
    for path in server.maildir.glob("cur/*"):
        path.unlink()
    assert run(firm, put_off=False) == Result()
    assert mails.counts(firm) == {(main_box(firm).source, "vanished"): 1}


REFUSALS = [
    ({"fingerprint": "00" * 32}, "mailbox.fingerprint_differs"),
    ({"fingerprint": ""}, "mailbox.certificate"),
    ({"password": "wrong"}, "mailbox.refused"),
    ({"port": "1"}, "mailbox.unreachable"),
    ({"authority": "/nowhere.pem", "fingerprint": ""}, "mailbox.no_authority"),
]


@KINDS
@pytest.mark.parametrize(("more", "code"), REFUSALS)
def test_a_mailbox_that_cannot_be_opened_says_why(
    firm: Firm, server: MailServer, kind: str, more: dict[str, str], code: str
) -> None:
    """Each reason has its code, and a server that is not the right one never hears the password."""
    use(firm, server, kind, **more)
    before = (server.folder / "dovecot.log").read_text()
    with pytest.raises(Failure) as refused:
        run(firm)
    assert refused.value.code == code
    if code != "mailbox.refused":
        said = (server.folder / "dovecot.log").read_text().removeprefix(before)
        assert "user=<intake" not in said


@KINDS
def test_a_server_is_verified_by_the_firms_own_authority(firm: Firm, server: MailServer, kind: str) -> None:
    """With the authority's certificate no fingerprint is needed, and another authority is refused."""
    use(firm, server, kind, fingerprint="", authority=str(server.folder / "certificate.pem"), host="localhost")
    server.put(mail("a", "a.pdf"))
    assert run(firm).delivered == 1
    other = firm.home / "other.pem"
    self_signed(other)
    use(firm, server, kind, fingerprint="", authority=str(other), host="localhost")
    with pytest.raises(Failure, match=r"mailbox\.certificate"):
        run(firm)


@KINDS
def test_starttls_protects_a_plain_port(firm: Firm, server: MailServer, kind: str) -> None:
    """The connection turns to TLS before anyone logs in, and the pinned certificate counts there too."""
    port = str(server.imap if kind == "imap" else server.pop3)
    use(firm, server, kind, security="starttls", port=port)
    server.put(mail("a", "a.pdf"))
    assert run(firm).delivered == 1
    use(firm, server, kind, security="starttls", port=port, fingerprint="00" * 32)
    with pytest.raises(Failure, match=r"mailbox\.fingerprint_differs"):
        run(firm)


def test_long_lines_and_dots_survive_pop3(firm: Firm, server: MailServer) -> None:
    """Lines of 100,000 signs and lines that begin with dots arrive as they were sent."""
    use(firm, server, "pop3")
    text = b".\r\n..\r\n.x\r\n" + b"a" * 100_000 + b"\r\n"
    raw = b"From: jan@dupont.be\r\nContent-Type: text/csv; name=a.csv\r\n\r\n" + text
    server.put(raw)
    assert run(firm).delivered == 1
    assert contents(folder(firm))["a.csv"].replace(b"\r\n", b"\n") == text.replace(b"\r\n", b"\n")


def test_a_mailbox_is_opened_without_changing_it(firm: Firm, server: MailServer) -> None:
    """Listing and fetching leave all flags as they were."""
    use(firm, server)
    server.put(mail("a", "a.pdf"))
    mailbox = ImapMailbox(access(firm, main_box(firm)))
    numbers = [one.number for one in mailbox.listed()]
    assert [raw.replace(b"\r\n", b"\n") for _, raw in mailbox.fetch(numbers)] == [mail("a", "a.pdf")]
    mailbox.close()
    assert [re.search(":2,(.*)", path.name)[1] for path in server.maildir.glob("cur/*")] == [""]  # type: ignore[index]


@KINDS
def test_a_session_that_hangs_can_be_broken_off(firm: Firm, server: MailServer, kind: str) -> None:
    """A server that stops answering is left at once when the round is cut, with a failure that says so."""
    use(firm, server, kind)
    server.put(mail("a", "a.pdf"))
    mailbox = opened_mailbox(access(firm, main_box(firm)))
    numbers = [one.number for one in mailbox.listed()]
    with server.frozen():
        failure: Future[Failure] = Future()

        def fetch() -> None:
            try:
                mailbox.fetch(numbers)
            except Failure as error:
                failure.set_result(error)

        reader = threading.Thread(target=fetch)
        reader.start()
        with pytest.raises(TimeoutError):
            failure.result(0.5)
        mailbox.abandon()
        assert failure.result(5).code in {"mailbox.interrupted", "mailbox.no_tls", "mailbox.unreachable"}
        reader.join()
        with pytest.raises(Failure):
            mailbox.fetch(numbers)
        mailbox.close()
    assert len(server.messages()) == 1


@KINDS
def test_a_mail_that_ends_the_program_again_and_again_is_not_read_again(
    firm: Firm, server: MailServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read alone after the first time, waits unread after the third, and the mails beside it are delivered."""
    use(firm, server, kind)
    poison = mail("poison", "x.pdf")
    together: list[int] = []

    def deadly(raw: bytes) -> Message:
        together[-1] += 1
        if b"Subject: poison" in raw:
            raise _Stop
        return read(raw)

    monkeypatch.setattr(mail_round, "read", deadly)
    server.put(mail("a", "a.pdf"), poison, mail("b", "b.pdf"))
    for _ in range(3):
        together.append(0)
        with pytest.raises(_Stop):
            run(firm)
    assert together == [2, 2, 1]
    together.append(0)
    assert run(firm).waiting == 1
    assert sorted(contents(folder(firm))) == ["a.pdf", "b.pdf"]
    (waits,) = waiting_list.waiting(firm)
    assert waits.reason == "waiting.unreadable_mail"
    assert len(server.messages()) == 1


@KINDS
def test_an_address_of_a_dossier_is_its_own_and_a_sender_is_not(firm: Firm, server: MailServer, kind: str) -> None:
    """A mail to such an address goes to its dossier whatever the rules say; one from it waits; two that differ wait."""
    use(firm, server, kind, address=USER, plus="yes")
    addresses.add(firm, "000205", "peeters@firm.be")
    plus = USER.replace("@", "+000204@")
    server.put(
        mail("a", "to.pdf", to="Peeters@FIRM.be"),
        mail("b", "from.pdf", sender="peeters@firm.be"),
        mail("c", "both.pdf", to=f"peeters@firm.be, {plus}"),
    )
    assert run(firm) == Result(delivered=1, waiting=2)
    assert list(contents(folder(firm, "000205"))) == ["to.pdf"]
    assert {waits.name: waits.reason for waits in waiting_list.waiting(firm)} == {
        "from.pdf": "waiting.no_rule",
        "both.pdf": "waiting.addresses_disagree",
    }
