"""The firm's mailboxes: declared, first looked at, several at once, and taken over from the settings of before."""

from pathlib import Path

import pytest
from alembic import command
from earlier_versions import config_of
from firm_rooms import Clock, contents, folder, opened
from firm_side import FirmSide
from mail_rooms import content, mail, main_box, run, use
from mail_server import PASSWORD, USER, MailServer
from navette_server import navette
from sqlalchemy import create_engine, text

from dossiers import addresses, mailboxes, mails
from dossiers.firm import Firm
from dossiers.rounds import Result, Turn, next_turn
from dossiers.sealing import Seal
from transfer.failures import Failure

KINDS = pytest.mark.parametrize("kind", ["imap", "pop3"])


@KINDS
def test_a_mailbox_that_holds_mails_waits_for_a_yes(firm: Firm, server: MailServer, kind: str) -> None:
    """The first round says how many there are and touches none; after a person's yes they are taken."""
    use(firm, server, kind, accepted=False)
    server.put(mail("a", "a.pdf"), mail("b", "b.pdf"))
    for _ in range(2):
        with pytest.raises(Failure) as refused:
            run(firm)
        assert (refused.value.code, refused.value.values["mails"]) == ("mailbox.not_accepted", 2)
    assert len(server.messages()) == 2
    assert mails.counts(firm) == {}
    mailboxes.accept(firm, main_box(firm))
    assert run(firm).waiting == 2
    assert server.messages() == []


@KINDS
def test_an_empty_mailbox_needs_no_yes_and_another_needs_one(firm: Firm, server: MailServer, kind: str) -> None:
    """What comes after an empty first look is taken; a change of the server's name is another mailbox."""
    use(firm, server, kind, accepted=False)
    assert run(firm) == Result()
    server.put(mail("a", "a.pdf"))
    assert run(firm).waiting == 1
    server.put(mail("b", "b.pdf"))
    mailboxes.change(firm, "main", {"host": "localhost"})
    with pytest.raises(Failure, match=r"mailbox\.not_accepted"):
        run(firm)


def test_the_same_mail_in_two_mailboxes_is_filed_once(firm: Firm, server: MailServer) -> None:
    """The copy in the second goes as well, without a second document."""
    server.make_folder("Autre")
    use(firm, server)
    use(firm, server, name="other", folder="Autre")
    server.put(mail("a", "a.pdf"))
    (new,) = server.maildir.glob("new/*")
    (server.maildir / ".Autre" / "new" / new.name).write_bytes(new.read_bytes())
    assert run(firm) == Result(waiting=1)
    assert run(firm, name="other") == Result()
    assert (server.messages(), server.messages("Autre")) == ([], [])
    assert contents(firm.waiting_folder) == {"a.pdf": content("a", "a.pdf")}


def test_what_an_abandoned_mailbox_left_half_way_another_finishes(firm: Firm, server: MailServer) -> None:
    """A half filed mail is recognised by its bytes where it turns up, and none of its files is doubled."""
    server.make_folder("Autre")
    use(firm, server)
    use(firm, server, name="other", folder="Autre")
    server.put(mail("a", "a.pdf", "b.pdf"))

    class Died(BaseException):
        pass

    def die(step: str) -> None:
        if step == "mail.kept":
            raise Died

    with pytest.raises(Died):
        run(firm, die)
    (there,) = [*server.maildir.glob("new/*"), *server.maildir.glob("cur/*")]
    there.rename(server.maildir / ".Autre" / "new" / there.name.partition(":")[0])
    assert run(firm, name="other") == Result()  # it waits for the first mailbox, which is still read
    mailboxes.forget(firm, "main")
    assert run(firm, name="other") == Result()
    assert server.messages("Autre") == []
    assert sorted(contents(firm.waiting_folder)) == ["a.pdf", "b.pdf"]


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("Invoices", {}, "mailbox.bad_name"),
        ("main", {}, "mailbox.name_taken"),
        ("other", {"port": "70000"}, "setting.bad_number"),
        ("other", {"kind": "exchange"}, "setting.bad_choice"),
        ("other", {"kind": "pop3", "after": "move"}, "mailbox.pop3_cannot_move"),
        ("other", {"nothing": "1"}, "setting.unknown"),
        ("other", {"host": "h", "user": "u"}, "mailbox.twice"),
    ],
)
def test_a_mailbox_that_cannot_be_is_refused(firm: Firm, name: str, values: dict[str, str], code: str) -> None:
    """Each reason has its code, and nothing of it is kept."""
    mailboxes.add(firm, "main", {"host": "h", "user": "u", "password": "secret"})
    with pytest.raises(Failure) as refused:
        mailboxes.add(firm, name, values)
    assert refused.value.code == code
    assert [box.name for box in mailboxes.every(firm)] == ["main"]


def test_secrets_are_sealed_and_never_shown(firm: Firm) -> None:
    """Neither the database nor the text of a mailbox holds a password."""
    box = mailboxes.add(firm, "main", {"host": "h", "user": "u", "password": "geheim-9", "client_secret": "geheim-8"})
    mailboxes.keep_tokens(firm, box, "geheim-7")
    with firm.database.read() as connection:
        row = str(connection.execute(text("select * from mailboxes")).one())
    assert "geheim" not in row + repr(mailboxes.find(firm, "main"))
    assert firm.seal.open(mailboxes.find(firm, "main").password) == "geheim-9"


@KINDS
def test_the_usual_port_follows_protocol_and_protection(firm: Firm, kind: str) -> None:
    """Where none is named it is that of the protocol."""
    usual = {"imap": (993, 143), "pop3": (995, 110)}[kind]
    assert mailboxes.add(firm, "main", {"host": "h", "kind": kind}).port == usual[0]
    assert mailboxes.change(firm, "main", {"security": "none"}).port == usual[1]


def test_the_settings_of_before_become_a_mailbox(tmp_path: Path) -> None:
    """The one mailbox there was is called main, with its secret, and its mails need no new yes."""
    inner = tmp_path / "firm"
    inner.mkdir()
    sealed = Seal(inner / "firm.key").seal("geheim-1")
    engine = create_engine(f"sqlite:///{inner / 'firm.db'}")
    with engine.begin() as connection:
        config = config_of()
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        told = {"host": "imap.example.be", "user": "u", "password": sealed, "after": "keep", "keep_days": "7"}
        for name, value in told.items():
            connection.execute(text("insert into settings values (:n, :v)"), {"n": f"mail.{name}", "v": value})
        connection.execute(
            text(
                "insert into mails (id, source, generation, number, sha256, size, message_id, state, found, changed,"
                " attempts) values (1, 'imap://u@imap.example.be:993/INBOX', '1', '1', 'x', 1, '', 'removed',"
                " '2026-11-24', '2026-11-24', 0)"
            )
        )
    engine.dispose()
    with opened(tmp_path, Clock()) as firm:
        (box,) = mailboxes.every(firm)
        assert (box.name, box.host, box.port, box.after, box.keep_days) == ("main", "imap.example.be", 993, "keep", 7)
        assert firm.seal.open(box.password) == "geheim-1"
        assert box.is_accepted


@pytest.fixture
def side(tmp_path: Path, server: MailServer) -> FirmSide:
    """A firm with one dossier that is driven by the command line."""
    side = FirmSide(tmp_path / "side")
    side.add_dossier("000204", "Boulangerie Dupont")
    return side


def test_mailboxes_by_the_command_line(side: FirmSide, server: MailServer) -> None:
    """Added, tried, said yes to, collected, changed and forgotten; a password is read from the input."""

    def say(*words: str, check: bool = True, told: str | None = None) -> str:
        ran = navette(side.home, "--language", "en", "mail", *words, check=check, told=told)
        return ran.stdout + ran.stderr

    values = [word for name, value in server.settings().items() for word in (f"--{name}", value)]
    values[values.index(PASSWORD)] = "-"
    assert "No mailbox is declared" in say("box", "list")
    say("box", "add", "invoices", *values, told=f"{PASSWORD}\n")
    server.put(mail("a", "a.pdf"))
    assert "[mailbox.not_accepted]" in say("--once", check=False)
    assert "Mails in the mailbox: 1." in say("test")
    assert "waits for a yes" in say("box", "list")
    assert len(server.messages()) == 1
    assert "DELETE" in say("accept", "invoices")
    assert "a.pdf" in say("--once")
    assert list(side.documents("000204")) == ["a.pdf"]
    say("box", "change", "invoices", "--minutes", "2", "--active", "no")
    assert "not collected" in say("box", "list")
    assert "[mailbox.none]" in say("--once", check=False)
    assert "Mailbox invoices is removed" in say("box", "remove", "invoices")
    assert "[mailbox.unknown]" in say("test", "invoices", check=False)


def test_one_mailbox_that_fails_keeps_no_other_back(side: FirmSide, server: MailServer) -> None:
    """The round over the others goes on, each is told by its name, and the exit code says that one failed."""
    side.mailbox(name="good", **server.settings())
    side.mailbox(name="bad", **server.settings(host="localhost", password="wrong"))
    server.put(mail("a", "a.pdf"))
    told = navette(side.home, "--language", "en", "mail", "--once", check=False)
    assert (told.returncode, "[mailbox.refused]" in told.stderr) == (2, True)
    assert "good:" in told.stdout
    assert list(side.documents("000204")) == ["a.pdf"]


def test_the_waiting_list_says_whose_address_the_sender_is(firm: Firm, server: MailServer) -> None:
    """It is a suggestion for the person who assigns, and decides nothing."""
    use(firm, server)
    addresses.add(firm, "000205", "peeters@firm.be")
    server.put(mail("a", "a.pdf", sender="Peeters@firm.be"))
    assert run(firm).waiting == 1
    listed = navette(firm.home, "--language", "en", "waiting", "list").stdout
    assert "the sender's address is that of dossier 000205" in listed
    assert contents(folder(firm, "000205")) == {}
    assert next_turn(firm)[0] is Turn.STOPPED


def test_rules_are_tried_on_the_last_mails_of_the_mailbox(firm: Firm, server: MailServer) -> None:
    """Nothing is changed or marked as read, and what the tried rules would change is marked."""
    use(firm, server)
    server.put(mail("a", "a.pdf"), mail("b", "b.pdf"), mail("c", "c.pdf", sender="x@other.be"))

    def attempt(*words: str, check: bool = True) -> str:
        ran = navette(firm.home, "--language", "en", "rules", "try", *words, check=check)
        return ran.stdout + ran.stderr

    told = attempt("--last", "2", "--with", "sender", "ends", "@dupont.be", "000204")
    lines = told.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("  ")] == ["b.pdf", "c.pdf"]
    assert "saved rules" in lines[1]
    assert "saved rules" not in lines[3]
    assert "[rules.try_what]" in attempt(check=False)
    assert "[rules.no_such_word]" in attempt("--last", "1", "--with", "from", "is", "x", "000204", check=False)
    assert "[dossier.unknown]" in attempt("--last", "1", "--with", "sender", "ends", "x", "000999", check=False)
    names = [path.name for path in server.maildir.glob("cur/*")]
    assert all(name.endswith(":2,") for name in names)
    assert (len(names), mails.counts(firm)) == (3, {})
    assert USER not in told
