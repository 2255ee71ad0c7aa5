"""The service wakes for a new mail at once, and is not held up by the threads that watch."""

import signal
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from firm_side import FirmSide
from mail_rooms import mail, main_box, use
from mail_server import MailServer
from navette_server import NAVETTE, ROOT
from processes import end, started
from waiting import until

from dossiers import mailboxes
from dossiers.firm import Firm
from mail_intake.watching import Watchers


class Woken:
    """Counts how often a round was woken."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        self.names.append(name)


@pytest.fixture
def woken() -> Woken:
    """Who is told."""
    return Woken()


@pytest.fixture
def watchers(firm: Firm, woken: Woken) -> Iterator[Watchers]:
    """Watchers that are stopped in the end."""
    made = Watchers(firm, woken)
    yield made
    made.stop()


def watching() -> bool:
    """Tell whether a thread watches the mailbox."""
    return any(thread.name == "watch-main" and thread.is_alive() for thread in threading.enumerate())


def test_a_new_mail_wakes_the_round_of_its_mailbox(
    firm: Firm, server: MailServer, watchers: Watchers, woken: Woken
) -> None:
    """Each one, one after the other, over the same session."""
    use(firm, server)
    watchers.follow(mailboxes.every(firm))
    until(lambda: woken.names, what="the first wake, for what came before")
    for n in range(3):
        known = len(woken.names)
        server.put(mail(f"m{n}", "a.pdf"))
        until(lambda known=known: len(woken.names) > known, what="a wake")  # type: ignore[misc]
    assert set(woken.names) == {"mail:main"}
    assert watching()


def test_a_session_is_renewed_and_what_came_meanwhile_is_looked_for(
    firm: Firm, server: MailServer, woken: Woken
) -> None:
    """When its time is over a new one is opened, and the round is woken for what nobody told of."""
    use(firm, server)
    short = Watchers(firm, woken, renewal=0.2)
    short.follow(mailboxes.every(firm))
    until(lambda: len(woken.names) >= 3, what="three renewals")
    short.stop()
    assert not watching()


def test_what_must_be_polled_is_not_watched(firm: Firm, server: MailServer, watchers: Watchers, woken: Woken) -> None:
    """POP3 and a mailbox that waits for a yes have no thread; one that is forgotten or changed loses its own."""
    use(firm, server, "pop3")
    watchers.follow(mailboxes.every(firm))
    assert not watching()
    mailboxes.forget(firm, "main")
    use(firm, server, accepted=False)
    watchers.follow(mailboxes.every(firm))
    assert not watching()
    mailboxes.accept(firm, main_box(firm))
    watchers.follow(mailboxes.every(firm))
    assert watching()
    watchers.follow([])
    until(lambda: not watching(), what="the thread to end")


def test_a_server_that_is_away_ends_the_watch_only(
    firm: Firm, server: MailServer, watchers: Watchers, woken: Woken, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged with its code, rounds go on by the clock, and the next turn watches again."""
    use(firm, server, port="1")
    watchers.follow(mailboxes.every(firm))
    until(lambda: not watching(), what="the thread to end")
    assert "mailbox.unreachable" in caplog.text
    use(firm, server)
    watchers.follow(mailboxes.every(firm))
    assert watching()


def test_stopping_is_not_held_up(firm: Firm, server: MailServer, watchers: Watchers) -> None:
    """Even where the server has stopped answering, the threads end at once."""
    use(firm, server)
    watchers.follow(mailboxes.every(firm))
    with server.frozen():
        before = datetime.now().astimezone()
        watchers.stop()
        assert (datetime.now().astimezone() - before).total_seconds() < 5
    until(lambda: not watching(), seconds=70, what="the thread to end")


def test_the_service_takes_a_new_mail_at_once(tmp_path: Path, server: MailServer) -> None:
    """With rounds every hour, a mail that comes between two is filed within seconds; stopping takes no longer."""
    side = FirmSide(tmp_path / "firm")
    side.add_dossier("000204", "Boulangerie Dupont")
    side.mailbox(accepted=False, **server.settings())
    side.set(service__mail="yes", service__ftp="no", service__minutes="60")
    log = tmp_path / "service.log"
    process = started([*NAVETTE, "--home", side.home, "service", "run"], log, cwd=ROOT)
    try:
        until(lambda: b"Round" in log.read_bytes(), seconds=60, what="the first round, over an empty mailbox")
        for n in range(3):
            server.put(mail(f"m{n}", f"{n}.pdf"))
            until(lambda: not server.messages(), seconds=20, what="the mail to be taken")
    finally:
        code = end(process, signal.SIGTERM)
    assert code == 0
    assert sorted(side.documents("000204")) == ["0.pdf", "1.pdf", "2.pdf"]
