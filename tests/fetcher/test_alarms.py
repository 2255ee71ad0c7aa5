"""Alarms that are told: to a real SMTP server and a real webhook, over TLS, and never at a round's expense."""

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from firm_rooms import Clock, add_dossiers, desk, opened
from peers import self_signed
from ports import free_port
from waiting import until

from dossiers import alarms
from dossiers.alarm import GIB, Kind
from dossiers.alarms import Alarm, Notice
from dossiers.firm import Firm
from fetcher.alarm_channels import send
from fetcher.alarm_watch import Watch, watching
from transfer.failures import PermanentFailure, TemporaryFailure

PASSWORD = "Zeer-geheim-9X"


class Post:
    """An SMTP server: the mails it took, and who logged in."""

    def __init__(self, certificate: Path, port: int, implicit: bool) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[str, str]] = []
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
        options = {"ssl_context": tls} if implicit else {"tls_context": tls, "require_starttls": True}
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=port,
            authenticator=self._authenticate,
            auth_required=True,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=["LOGIN"],  # each one that is tried counts as a guess
            **options,
        )

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def _authenticate(
        self, server: object, session: object, envelope: object, mechanism: str, told: object
    ) -> AuthResult:
        assert isinstance(told, LoginPassword)
        self.logins.append((told.login.decode(), told.password.decode()))
        return AuthResult(success=told.password.decode() == PASSWORD, handled=False)


class Hook:
    """A webhook: what was posted to it, and what it answers."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, object]]] = []
        self.answer = 204

    @property
    def handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        """What answers for it."""
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append((self.path, json.loads(body)))
                self.send_response(hook.answer)
                self.send_header("Location", "https://elsewhere.example/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, with its key."""
    self_signed(tmp_path / "localhost.pem")
    return tmp_path / "localhost.pem"


@pytest.fixture
def firm(tmp_path: Path, clock: Clock) -> Iterator[Firm]:
    """A firm whose documents start to wait at one."""
    with opened(tmp_path / "home", clock) as firm:
        add_dossiers(firm, "000204")
        firm.settings.set("fiduciary.name", "Fiduciaire Dupont")
        firm.settings.set("alarms.waiting", "1")
        yield firm


@contextmanager
def running_post(firm: Firm, certificate: Path, security: str) -> Iterator[Post]:
    """Run an SMTP server that the firm's alarms go to."""
    post = Post(certificate, free_port(), security == "tls")
    values = {"mail_to": "anna@example.be, bert@example.be", "mail_from": "navette@example.be"}
    values |= {"smtp_host": "localhost", "smtp_port": str(post.controller.port), "smtp_security": security}
    values |= {"smtp_user": "navette", "smtp_password": PASSWORD, "authority": str(certificate)}
    for name, value in values.items():
        firm.settings.set(f"alarms.{name}", value)
    post.controller.start()
    try:
        yield post
    finally:
        post.controller.stop()


@pytest.fixture
def hook(firm: Firm, certificate: Path) -> Iterator[Hook]:
    """A webhook over TLS that the firm's alarms go to."""
    hook = Hook()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), hook.handler)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    firm.settings.set("alarms.webhook", f"https://localhost:{server.server_port}/teams?key=abc")
    firm.settings.set("alarms.authority", str(certificate))
    yield hook
    server.shutdown()
    thread.join()
    server.server_close()


def look(firm: Firm) -> None:
    """Look for alarms once."""
    Watch(firm, free=lambda _: 9 * GIB, ends=lambda _: {}).look()


def a_notice(channel: str = "webhook") -> Notice:
    """Return a notice as ``navette alarms test`` sends it."""
    alarm = Alarm(0, Kind.TEST, "", {}, Clock()())
    return Notice(0, alarm, "raised", channel, 0, None, None)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_people_are_told_by_mail_when_it_begins_and_when_it_is_over(
    firm: Firm, certificate: Path, security: str
) -> None:
    """In the firm's language, once each, after a login over verified TLS."""
    with running_post(firm, certificate, security) as post:
        with desk(firm) as at:
            at.deliver(("a.pdf", b"a"), number=None)
        look(firm)
        look(firm)
        firm.settings.set("alarms.waiting", "2")
        firm.settings.set("alarms.waiting", "20")
        look(firm)
        look(firm)
    raised, over = post.mails
    assert post.logins == [("navette", PASSWORD)] * 2
    assert raised["Subject"] == "Navette, alerte : la liste d'attente s'allonge"
    assert raised["To"] == "anna@example.be, bert@example.be"
    assert raised.get_content().startswith("1 documents attendent un dossier")
    assert "Fiduciaire Dupont, machine PC-1" in raised.get_content()
    assert over["Subject"] == "Navette, fin d'alerte : la liste d'attente s'allonge"
    assert over.get_content().startswith("C'est terminé.")
    assert alarms.unsent(firm) == []


def test_a_wrong_password_is_told_and_never_repeated_in_it(firm: Firm, certificate: Path) -> None:
    """The failure names the server, not what was tried."""
    with running_post(firm, certificate, "starttls"):
        firm.settings.set("alarms.smtp_password", "Anders-7Y")
        with pytest.raises(PermanentFailure, match=r"alarm\.login_refused") as refused:
            send(firm, a_notice("mail"))
    assert "Anders" not in str(refused.value)


def test_a_server_that_is_not_certified_gets_nothing(firm: Firm, certificate: Path, hook: Hook) -> None:
    """Neither a mail nor a login nor a post leaves for a server whose certificate no authority vouches for."""
    with running_post(firm, certificate, "starttls") as post:
        firm.settings.set("alarms.authority", "")
        for channel in ("mail", "webhook"):
            with pytest.raises(PermanentFailure, match=r"alarm\.no_tls"):
                send(firm, a_notice(channel))
    assert (post.mails, post.logins, hook.posted) == ([], [], [])


def test_a_password_or_a_secret_address_never_leaves_in_clear(firm: Firm, certificate: Path) -> None:
    """It is refused before anything is connected."""
    with running_post(firm, certificate, "none") as post, pytest.raises(PermanentFailure, match=r"alarm\.password_in"):
        send(firm, a_notice("mail"))
    firm.settings.set("alarms.webhook", "http://example.be/secret")
    with pytest.raises(PermanentFailure, match=r"alarm\.password_in_clear"):
        send(firm, a_notice())
    assert post.mails == []


def test_a_webhook_gets_one_post_for_each_end(firm: Firm, hook: Hook) -> None:
    """As JSON: what began or ended, since when, in words and in values."""
    with desk(firm) as at:
        at.deliver(("a.pdf", b"a"), number=None)
    look(firm)
    firm.settings.set("alarms.waiting", "20")
    look(firm)
    assert [(path, told["event"], told["kind"]) for path, told in hook.posted] == [
        ("/teams?key=abc", "raised", "waiting"),
        ("/teams?key=abc", "ended", "waiting"),
    ]
    assert hook.posted[0][1]["told"] == {"count": 1}
    assert str(hook.posted[0][1]["text"]).startswith("1 documents attendent")


@pytest.mark.parametrize("answer", [302, 307, 500])
def test_a_redirect_is_not_followed_and_a_refusal_is_tried_again(
    firm: Firm, hook: Hook, clock: Clock, answer: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What the webhook does not take waits for its next attempt, and then gets there once."""
    hook.answer = answer
    with desk(firm) as at:
        at.deliver(("a.pdf", b"a"), number=None)
    look(firm)
    look(firm)
    assert len(hook.posted) == 1
    assert [notice.failure for notice in alarms.unsent(firm)] == ["alarm.webhook_refused"]
    assert "key=abc" not in caplog.text
    hook.answer = 200
    clock.turn(minutes=1)
    look(firm)
    look(firm)
    assert len(hook.posted) == 2
    assert alarms.unsent(firm) == []


def test_a_channel_that_hangs_holds_up_neither_rounds_nor_the_other_channel(
    firm: Firm, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a mail server that took the connection says nothing, documents are delivered and the webhook is told."""
    monkeypatch.setattr("fetcher.alarm_channels.TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        firm.settings.set("alarms.mail_to", "anna@example.be")
        firm.settings.set("alarms.mail_from", "navette@example.be")
        firm.settings.set("alarms.smtp_host", "127.0.0.1")
        firm.settings.set("alarms.smtp_port", str(silent.getsockname()[1]))
        with desk(firm) as at:
            at.deliver(("a.pdf", b"a"), number=None)
        with watching(firm):
            connection, _ = silent.accept()
            with connection, desk(firm) as at:
                assert at.deliver(("b.pdf", b"b")).failed == []
                until(lambda: hook.posted, what="the webhook to be told")
    assert [(notice.channel, notice.failure) for notice in alarms.unsent(firm)] == [("mail", "alarm.unreachable")]


def test_a_channel_that_is_half_set_says_what_lacks(firm: Firm) -> None:
    """By the name of the setting."""
    firm.settings.set("alarms.mail_to", "anna@example.be")
    with pytest.raises(PermanentFailure) as refused:
        send(firm, a_notice("mail"))
    assert refused.value.values == {"name": "alarms.smtp_host"}
    firm.settings.set("alarms.webhook", "example.be")
    with pytest.raises(PermanentFailure, match=r"alarm\.bad_webhook"):
        send(firm, a_notice())
    firm.settings.set("alarms.webhook", f"https://localhost:{free_port()}/")
    with pytest.raises(TemporaryFailure, match=r"alarm\.unreachable"):
        send(firm, a_notice())
