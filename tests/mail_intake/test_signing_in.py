"""Signing in to Microsoft and Google for a mailbox, and reading it by token, with a login server of our own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from firm_side import FirmSide
from login_server import CLIENT, TENANT, LoginServer, login_server
from mail_rooms import mail, run
from mail_server import MailServer, mail_server
from navette_server import navette
from sqlalchemy import text

from dossiers import mailboxes
from dossiers.firm import Firm
from mail_intake.oauth import current_token, sign_in
from transfer.failures import Failure

KINDS = pytest.mark.parametrize("kind", ["imap", "pop3"])


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoginServer]:
    """A login server whose certificate this process trusts."""
    with login_server(tmp_path) as running:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.authority))
        yield running


@pytest.fixture
def server(login: LoginServer) -> Iterator[MailServer]:
    """A mail server that takes the tokens of that login server."""
    with mail_server(login.introspection) as running:
        yield running


def declare(firm: Firm, server: MailServer, at: LoginServer, kind: str = "imap", **more: str) -> mailboxes.Box:
    values = server.settings(kind, password="", login="microsoft", client=CLIENT, tenant=TENANT) | more
    return mailboxes.add(firm, "main", values | {"login_server": at.url})


def box(firm: Firm) -> mailboxes.Box:
    return mailboxes.find(firm, "main")


def grants(login: LoginServer) -> list[str]:
    """Return what tokens were asked for with, in order."""
    return [asked["grant_type"] for asked in login.asked if "grant_type" in asked]


def ignore(_url: str, _code: str) -> None:
    pass


@KINDS
def test_a_code_signs_in_and_the_mailbox_is_read_by_token(
    firm: Firm, server: MailServer, login: LoginServer, kind: str
) -> None:
    """A person types the code elsewhere; what that gives is sealed, and opens the mailbox over IMAP and POP3."""
    shown: list[tuple[str, str]] = []
    sign_in(firm, declare(firm, server, login, kind), lambda url, code: shown.append((url, code)))
    assert shown == [("https://microsoft.example/devicelogin", "ABCD-1234")]
    scope = next(asked["scope"] for asked in login.asked if asked["path"].endswith("/devicecode"))
    assert f"https://outlook.office365.com/{'IMAP' if kind == 'imap' else 'POP'}.AccessAsUser.All" in scope
    with firm.database.read() as connection:
        row = str(connection.execute(text("select * from mailboxes")).one())
    assert "renewal" not in row
    mailboxes.accept(firm, box(firm))
    server.put(mail("a", "a.pdf"))
    assert run(firm).waiting == 1
    assert server.messages() == []


def test_a_token_is_renewed_without_a_person(firm: Firm, server: MailServer, login: LoginServer) -> None:
    """One that is about to end is exchanged for another; one that is good is used again."""
    login.lifetime = 1
    sign_in(firm, declare(firm, server, login), ignore)
    first = current_token(firm, box(firm))
    login.lifetime = 3600
    second = current_token(firm, box(firm))
    assert second != first
    assert current_token(firm, box(firm)) == second
    assert "refresh_token" in grants(login)


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_a_renewal_that_is_refused_needs_a_person(
    firm: Firm, server: MailServer, login: LoginServer, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says who must do what; nobody has signed in yet reads the same."""
    declare(firm, server, login, login=provider, client_secret="s" if provider == "google" else "")
    with pytest.raises(Failure, match=r"login\.needed"):
        run(firm)
    login.lifetime = 1
    signed_in(firm, login, monkeypatch)
    login.refuse = "invalid_grant"
    with pytest.raises(Failure, match=r"login\.needed.*invalid_grant"):
        current_token(firm, box(firm))


def test_the_applications_own_secret_needs_nobody(firm: Firm, server: MailServer, login: LoginServer) -> None:
    """With it a token is asked for and kept, and the mailbox is read."""
    declare(firm, server, login, client_secret="geheim")
    assert run(firm).delivered == 0
    asked = [one for one in login.asked if one.get("grant_type") == "client_credentials"]
    assert [one["scope"] for one in asked] == ["https://outlook.office365.com/.default"]
    run(firm)
    assert grants(login) == ["client_credentials"]


class Browser:
    """A person's browser: it opens what it is told, in a thread of its own, and follows to where it is sent."""

    def __init__(self, login: LoginServer) -> None:
        self._login = login
        self.opened: list[subprocess.Popen[bytes]] = []

    def open(self, url: str, *_: object, **__: object) -> bool:
        """Open an address."""
        visit = f"import requests; requests.get({url!r}, verify={str(self._login.authority)!r}, timeout=30)"
        self.opened.append(subprocess.Popen([sys.executable, "-c", visit], stderr=subprocess.DEVNULL))
        return True

    def close(self) -> None:
        """Wait until it has seen all pages."""
        for one in self.opened:
            one.wait(30)


def signed_in(firm: Firm, login: LoginServer, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(login)
    monkeypatch.setattr("webbrowser.get", lambda *_: browser)
    try:
        sign_in(firm, box(firm), ignore)
    finally:
        browser.close()


def test_google_signs_in_by_the_browser(
    firm: Firm, server: MailServer, login: LoginServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser comes back to this machine with the code; the mailbox is then read by token, renewed when it ends."""
    login.lifetime = 1
    declare(firm, server, login, login="google", client_secret="s")
    signed_in(firm, login, monkeypatch)
    assert grants(login) == ["authorization_code"]
    login.lifetime = 3600
    assert run(firm).delivered == 0
    assert grants(login) == ["authorization_code", "refresh_token"]


def test_a_person_who_says_no_is_told(
    firm: Firm, server: MailServer, login: LoginServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal in the browser, or of the code, is a sentence; nothing is kept."""
    declare(firm, server, login, login="google", client_secret="s")
    login.refuse = "access_denied"
    with pytest.raises(Failure, match=r"login\.refused"):
        signed_in(firm, login, monkeypatch)
    mailboxes.change(firm, "main", {"login": "microsoft", "client_secret": ""})
    with pytest.raises(Failure, match=r"login\.refused.*access_denied"):
        sign_in(firm, box(firm), ignore)
    assert box(firm).tokens == ""


@KINDS
def test_a_token_the_mail_server_refuses_is_told(firm: Firm, server: MailServer, login: LoginServer, kind: str) -> None:
    """A token of another account, or a mailbox closed to IMAP or POP, has a sentence of its own."""
    sign_in(firm, declare(firm, server, login, kind), ignore)
    login.good.clear()
    with pytest.raises(Failure) as refused:
        run(firm)
    assert refused.value.code == "mailbox.token_refused"


def test_a_login_server_that_is_away_is_temporary(firm: Firm, server: MailServer, login: LoginServer) -> None:
    """The next round tries again; what cannot sign in says why."""
    declare(firm, server, login, client_secret="geheim")
    mailboxes.change(firm, "main", {"login_server": "https://localhost:1"})
    with pytest.raises(Failure, match=r"login\.unreachable"):
        run(firm)
    mailboxes.change(firm, "main", {"login": "password"})
    with pytest.raises(Failure, match=r"login\.by_password"):
        sign_in(firm, box(firm), ignore)


def test_signing_in_by_the_command_line(tmp_path: Path, server: MailServer, login: LoginServer) -> None:
    """The command shows address and code, waits for the person, and then the mailbox can be tested."""
    side = FirmSide(tmp_path / "side")
    more = {"password": "", "login": "microsoft", "client": CLIENT, "tenant": TENANT, "login_server": login.url}
    side.mailbox(**server.settings(**more))
    told = navette(side.home, "--language", "en", "mail", "login", more=login.environment).stdout
    assert "type the code ABCD-1234" in told
    assert "is signed in" in told
    assert "Mails in the mailbox: 0." in navette(side.home, "--language", "en", "mail", "test").stdout
