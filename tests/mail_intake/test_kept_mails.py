"""Mails that are kept after they left their mailbox, and files that come back when a rule was wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from firm_rooms import Clock, contents
from mail_rooms import content, mail, main_box, run, use
from mail_server import MailServer
from navette_server import navette

from dossiers import kept_mails, mail_rules, mailboxes, mails, waiting_list
from dossiers.designation import running_rounds
from dossiers.firm import Firm
from dossiers.mail_rule import Comparison, Field, Kind, Rule
from dossiers.mails import MailState, Restore
from dossiers.rounds import Result
from mail_intake.restoring import restore_asked
from transfer.failures import Failure

KINDS = pytest.mark.parametrize("kind", ["imap", "pop3"])
WRONG = Rule(Kind.EXCLUSION, Field.SUBJECT, Comparison.CONTAINS, ("promo",))


class DiedError(BaseException):
    """Stands for the end of the program."""


def dying(at: str) -> Callable[[str], None]:
    def reached(step: str) -> None:
        if step == at:
            raise DiedError

    return reached


def kept(firm: Firm) -> list[bytes]:
    return [raw.replace(b"\r\n", b"\n") for raw in contents(firm.mails_folder).values()]


def restore(firm: Firm, reached: Callable[[str], None] = lambda _: None) -> None:
    with running_rounds(firm) as lease:
        restore_asked(firm, lease, reached=reached)


@KINDS
def test_a_mail_is_kept_before_it_goes_and_for_its_days(
    firm: Firm, server: MailServer, clock: Clock, kind: str
) -> None:
    """It is there once when the mail is gone, also a mail that only exclusions hit, and not longer than was set."""
    use(firm, server, kind)
    mail_rules.add(firm, WRONG)
    raws = [mail("a", "a.pdf"), mail("promo", "p.pdf")]
    server.put(*raws, raws[0])
    with pytest.raises(DiedError):
        run(firm, dying("mail.at_rest"))
    assert sorted(kept(firm)) == sorted(raws)
    assert len(server.messages()) == 3
    run(firm)
    run(firm)
    assert server.messages() == []
    assert sorted(kept(firm)) == sorted(raws)
    clock.now += timedelta(days=29)
    run(firm)
    assert len(kept(firm)) == 2
    clock.now += timedelta(days=1)
    run(firm)
    assert kept(firm) == []
    with pytest.raises(Failure, match=r"mail\.not_kept"):
        mails.ask_to_restore(firm, 2, Restore.EXCLUDED)


def test_a_mail_that_was_not_yet_recorded_as_kept_is_kept_once(firm: Firm, server: MailServer) -> None:
    """A round that died before its row was written leaves what is there, and nothing half written."""
    use(firm, server)
    server.put(mail("a", "a.pdf"))
    with pytest.raises(DiedError):
        run(firm, dying("mail.kept"))
    (firm.mails_folder / ".navette-77").write_bytes(b"half")
    mails_row = mails.find(firm, 1)
    with running_rounds(firm) as lease:
        mails.Mails(firm, lease, mails_row.source).keep([mails_row], None)
    run(firm)
    assert kept(firm) == [mail("a", "a.pdf")]
    assert mails.find(firm, 1).kept is not None


def test_nothing_is_kept_where_no_days_are_set(firm: Firm, server: MailServer) -> None:
    """With 0 days the mail goes as its files are filed."""
    firm.settings.set("mail.keep_raw_days", "0")
    use(firm, server)
    server.put(mail("a", "a.pdf"))
    assert run(firm).waiting == 1
    assert (kept(firm), server.messages()) == ([], [])


@pytest.mark.parametrize("after", ["delete", "keep"])
@pytest.mark.parametrize("died_at", ["", "restore.discovered", "restore.placing", "restore.linked", "restore.stored"])
def test_what_a_wrong_rule_left_out_comes_back_once(firm: Firm, server: MailServer, after: str, died_at: str) -> None:
    """Asked for, it is on the waiting list with that reason, once, wherever the program died while it put it there."""
    use(firm, server, after=after)
    mail_rules.add(firm, WRONG)
    server.put(mail("promo", "p.pdf", "q.pdf"))
    assert run(firm) == Result()
    mails.ask_to_restore(firm, 1, Restore.EXCLUDED)
    if died_at:
        with pytest.raises(DiedError):
            restore(firm, dying(died_at))
    restore(firm)
    restore(firm)
    assert contents(firm.waiting_folder) == {name: content("promo", name) for name in ("p.pdf", "q.pdf")}
    assert [waits.reason for waits in waiting_list.waiting(firm)] == ["waiting.restored"] * 2
    assert run(firm) == Result()
    assert len(waiting_list.waiting(firm)) == 2
    assert mails.find(firm, 1).state is (MailState.REMOVED if after == "delete" else MailState.AT_REST)


def test_a_mail_is_found_shown_written_out_and_restored_by_the_command_line(firm: Firm, server: MailServer) -> None:
    """The record says which rule left a file out, the mail itself can be read, and its file comes back at once."""
    use(firm, server)
    mail_rules.add(firm, WRONG)
    server.put(mail("promo spéciale", "p.pdf"), mail("b", "b.pdf"))
    run(firm)

    def say(*words: str, check: bool = True) -> str:
        ran = navette(firm.home, "--language", "en", "mail", *words, check=check)
        return ran.stdout + ran.stderr

    listed = say("list")
    assert "jan@dupont.be" in listed
    assert "promo spéciale" in listed
    assert "kept" in listed
    assert "left out by rule 1" in say("show", "1", "--to", str(firm.home / "out.eml"))
    raw = (firm.home / "out.eml").read_bytes()
    assert raw == kept_mails.raw(firm, mails.find(firm, 1))
    assert "[mail.cannot_write]" in say("show", "1", "--to", str(firm.home / "out.eml"), check=False)
    firm.settings.set("service.machine", "")  # the command runs under this machine's real name
    assert "p.pdf" in say("restore", "1")
    assert [waits.name for waits in waiting_list.waiting(firm)] == ["b.pdf", "p.pdf"]
    assert "[mail.unknown]" in say("show", "9", check=False)
    assert "[mail.nothing_left_out]" in say("restore", "2", check=False)


def test_while_the_service_runs_it_restores_what_is_asked_for(firm: Firm, server: MailServer) -> None:
    """The command says so, and the next round of whoever runs does it before it opens any mailbox."""
    use(firm, server)
    mail_rules.add(firm, WRONG)
    server.put(mail("promo", "p.pdf"))
    run(firm)
    with running_rounds(firm) as lease:
        told = navette(firm.home, "--language", "en", "mail", "restore", "1").stdout
        assert "service puts these files on the waiting list" in told
        assert waiting_list.waiting(firm) == []
        restore_asked(firm, lease)
    assert len(waiting_list.waiting(firm)) == 1
    assert main_box(firm) in mailboxes.every(firm)
