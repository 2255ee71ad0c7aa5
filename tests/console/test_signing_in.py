"""Coming in and going out: first user, names and passwords, codes, sessions."""

import time
from pathlib import Path

import pytest
from console_site import PASSWORD, Site, Visitor, running_console
from navette_server import navette

from console.one_time_code import STEP, code, fitting_step
from dossiers.firm import Firm


def test_the_printed_link_makes_the_administrator_once(tmp_path: Path) -> None:
    """The link works while there is no user, makes an administrator who is let in, and opens nothing after that."""
    with running_console(tmp_path / "home") as site:
        assert "There is no user yet" in site.visitor().get("/login").text
        anne = site.make_first()
        assert anne.get("/users").status == 200
        assert site.first is not None
        assert site.visitor().get(site.first.removeprefix(site.address)).status == 404
    with running_console(tmp_path / "home") as site:
        assert site.first is None


def test_a_wrong_link_makes_nobody(tmp_path: Path) -> None:
    """A guessed word opens no form, and posting to it makes no user."""
    with running_console(tmp_path / "home") as site:
        visitor = site.visitor()
        visitor.get("/login")
        assert visitor.get("/first/guessed").status == 404
        told = visitor.post("/first/guessed", {"name": "eve", "password": PASSWORD, "again": PASSWORD})
        assert told.status == 404
        assert site.make_first().get("/users").text.count('href="/users/') == 1


@pytest.mark.parametrize(
    ("name", "password"), [("anne", "not her password"), ("nobody", PASSWORD), ("", ""), ("anne", "x" * 100_000)]
)
def test_a_wrong_name_and_a_wrong_password_get_the_same_sentence(site: Site, name: str, password: str) -> None:
    """Neither tells whether the name exists; the sentence stands beside the field."""
    answer = site.visitor().sign_in(name, password)
    assert answer.status == 422
    assert "That name, password or code is not right." in answer.text
    assert "user.wrong" in answer.text


def test_the_sixth_try_in_a_minute_is_refused_even_with_the_right_password(site: Site) -> None:
    """Five tries a minute for one name from one address; other names still get in."""
    visitor = site.visitor()
    for _ in range(5):
        assert visitor.sign_in("anne", "guessing on").status == 422
    assert visitor.sign_in("anne").status == 429
    assert visitor.sign_in("bram").status == 303


def test_the_cookie_of_a_session_is_careful(site: Site) -> None:
    """It is hidden from scripts and other sites, and its word is nowhere in the database."""
    visitor = site.visitor()
    answer = visitor.sign_in("anne")
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert visitor.cookies["navette"].encode() not in (site.home / "firm" / "firm.db").read_bytes()


def test_a_stolen_session_is_worth_nothing_after_signing_out(site: Site, anne: Visitor) -> None:
    """Signing out ends the session itself, not only the browser's memory of it."""
    thief = site.visitor()
    thief.cookies = dict(anne.cookies)
    assert thief.get("/users").status == 200
    anne.get("/")
    anne.post("/logout")
    assert thief.get("/users").place == "/login?next=%2Fusers"


def test_signing_in_leads_back_to_the_page_that_was_wanted_and_nowhere_else(site: Site) -> None:
    """A path of the console is followed; another site never."""
    assert 'value="/deeds?before=9"' in site.visitor().get("/login?next=/deeds%3Fbefore%3D9").text
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
        fields = {"name": "anne", "password": PASSWORD, "next": elsewhere}
        visitor = site.visitor()
        visitor.get("/login")
        assert visitor.post("/login", fields).place == "/"


def test_changing_the_password_ends_the_other_sessions(site: Site, anne: Visitor) -> None:
    """The browser that changed it stays signed in; the other one, and the old password, no longer get in."""
    other = site.signed_in("anne")
    anne.get("/me")
    new = "une autre phrase, plus longue"
    wrong = anne.post("/me/password", {"present": "guess", "new": new, "again": new})
    assert wrong.status == 422
    assert "user.wrong_password" in wrong.text
    assert anne.post("/me/password", {"present": PASSWORD, "new": "short", "again": "short"}).status == 422
    assert anne.follow("/me/password", {"present": PASSWORD, "new": new, "again": new}).status == 200
    assert other.get("/me").status == 303
    assert site.visitor().sign_in("anne").status == 422
    assert site.visitor().sign_in("anne", new).status == 303


def test_a_code_by_telephone_is_asked_and_used_once(site: Site, anne: Visitor) -> None:
    """Once it is switched on, the password alone gets nobody in, and a code that was seen is worth nothing."""
    anne.get("/me")
    shown = anne.post("/me/code").text
    assert "<svg" in shown
    key = shown.partition('name="key" value="')[2].partition('"')[0]
    given = code(key, int(time.time() // STEP))
    assert anne.post("/me/code", {"key": key, "code": "000000", "present": PASSWORD}).status == 422
    assert anne.follow("/me/code", {"key": key, "code": given, "present": PASSWORD}).status == 200
    assert site.visitor().sign_in("anne").status == 422
    given = code(key, int(time.time() // STEP))
    assert site.visitor().sign_in("anne", code=given).status == 303
    assert site.visitor().sign_in("anne", code=given).status == 422
    with Firm(site.home) as firm:
        assert key.encode() not in (firm.home / "firm" / "firm.db").read_bytes()


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, shown: str) -> None:
    """RFC 6238's own examples for SHA-1."""
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # 12345678901234567890
    assert code(key, seconds // STEP, 8) == shown
    assert fitting_step(key, shown[2:], seconds) == seconds // STEP
    assert fitting_step(key, shown[2:], seconds + 3 * STEP) is None


def test_an_administrator_ends_a_session_and_closes_an_account(site: Site, anne: Visitor) -> None:
    """A closed account is out at once and does not get in again; the last administrator stays one."""
    bram = site.signed_in("bram")
    page = anne.get("/users").text
    number = page.partition('">bram</a>')[0].rpartition("/users/")[2]
    anne.follow(f"/users/{number}", {"role": "accountant", "every": "yes", "closed": "yes"})
    assert bram.get("/me").status == 303
    assert site.visitor().sign_in("bram").status == 422
    own = page.partition('">anne</a>')[0].rpartition("/users/")[2]
    refused = anne.post(f"/users/{own}", {"role": "reader", "every": "yes"})
    assert refused.status == 422
    assert "user.last_administrator" in refused.text


def test_a_forgotten_password_is_replaced_on_the_command_line(site: Site) -> None:
    """``navette console reset NAME`` prints a new one, and nothing else gets that account in any more."""
    told = navette(site.home, "--language", "en", "console", "reset", "Anne").stdout
    assert site.visitor().sign_in("anne").status == 422
    assert site.visitor().sign_in("anne", told.strip().rpartition(" ")[2]).status == 303
