"""Who may open what: each role on each route, forms from elsewhere, names that are not ours, what may be embedded."""

import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from console_site import Site, Visitor
from firm_rooms import desk
from navette_server import navette

from console.application import MODULES
from console.page import Page
from dossiers import overview
from dossiers.firm import Firm
from dossiers.users import Role

ROLES = {
    "anne": (Role.ADMINISTRATOR, True),
    "bram": (Role.ACCOUNTANT, True),
    "chloe": (Role.ACCOUNTANT, False),
    "dirk": (Role.READER, True),
}
"""Name -> role, and whether they may see every dossier, as the sample firm has them."""

PAGES = [page for pages in MODULES for page in pages.pages]


def _address(page: Page) -> str:
    """Return an address of a page for things that do not exist: rights are looked at before them."""
    path = page.path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + "999999" + rest.partition("}")[2]
    return path


@pytest.mark.parametrize("name", ROLES)
def test_each_role_opens_what_it_may_and_nothing_else(site: Site, name: str) -> None:
    """Every route of the console answers 403 to who has not its role, and something else to who has."""
    visitor = site.signed_in(name)
    visitor.get("/me")
    role, every = ROLES[name]
    wrong = []
    for page in PAGES:
        if page.path in {"/logout", "/users/{user}"} or page.path.startswith("/me"):
            continue
        may = (page.needed is None or role.may(page.needed)) and (every or not page.every_dossier)
        answer = visitor.get(_address(page)) if page.method == "GET" else visitor.post(_address(page))
        refused = answer.status == 403 and "console.forbidden" in answer.text
        if refused == may or answer.status == 500:
            wrong.append(f"{page.method} {page.path}: {answer.status}, may={may}")
    assert wrong == []
    assert len(PAGES) > 40


def test_nobody_opens_anything_without_signing_in(site: Site) -> None:
    """Every page that needs a role leads to the form to sign in; no form of one is carried out."""
    visitor = site.visitor()
    visitor.get("/login")
    for page in PAGES:
        if page.needed is None:
            continue
        answer = visitor.get(_address(page)) if page.method == "GET" else visitor.post(_address(page))
        assert answer.status == 303, page.path
        assert answer.place.startswith("/login"), page.path


def test_documents_of_other_dossiers_are_not_there_for_who_may_not_see_them(site: Site) -> None:
    """Page, preview, picture, original and download answer as if the document did not exist; so do those that wait."""
    chloe = site.signed_in("chloe")
    own, foreign, waiting = 1, 3, 4
    assert chloe.get(f"/documents/{own}").status == 200
    for number in (foreign, waiting, 999999):
        for part in ("", "/preview", "/pages/1", "/original", "/download"):
            answer = chloe.get(f"/documents/{number}{part}")
            assert answer.status == 404, (number, part)
            assert "garage" not in answer.text
    assert chloe.post("/documents", {"document": [str(foreign)], "mark": "processed"}).status == 404
    assert "Garage Peeters" not in chloe.get("/documents").text
    assert "Garage Peeters" not in chloe.get("/choices/dossiers?dossier=garage").text
    assert chloe.get("/waiting").status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
    ],
)
def test_a_form_from_elsewhere_is_refused(anne: Visitor, headers: Mapping[str, str]) -> None:
    """A valid cookie and even a valid token are not enough."""
    anne.get("/me")
    answer = anne.post("/fetch", {}, headers)
    assert answer.status == 403
    assert "console.foreign" in answer.text


def test_a_form_without_its_token_is_refused(site: Site, anne: Visitor) -> None:
    """Nor is another session's token taken."""
    for token in ("", "0" * 64):
        anne.get("/me")
        answer = anne.post("/fetch", {"token": token})
        assert answer.status == 403
        assert "console.old_form" in answer.text
    bram = site.signed_in("bram")
    bram.get("/me")
    bram.cookies = dict(anne.cookies)
    assert bram.post("/fetch").status == 403


def test_a_name_that_is_not_ours_is_refused(site: Site) -> None:
    """A foreign name that leads to this machine gets no page: a site that made it up cannot read one."""
    answer = site.visitor().ask("GET", "/login", headers={"Host": f"evil.example:{site.port}"})
    assert answer.status == 400
    assert "console.unknown_host" in answer.text
    assert site.visitor().ask("GET", "/login", headers={"Host": f"localhost:{site.port}"}).status == 200


def test_every_answer_keeps_the_browser_careful(anne: Visitor) -> None:
    """No script, style, frame or picture from elsewhere, nothing kept, nothing guessed."""
    for path in ("/", "/login", "/nothing", "/documents/1/original", "/documents/1/pages/1"):
        headers = anne.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "public" not in headers["cache-control"]
    static = anne.get("/").text.partition('href="/static/console')[2].partition('"')[0]
    assert "immutable" in anne.get(f"/static/console{static}").headers["cache-control"]


@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"MZ"]
)
def test_what_a_browser_could_run_is_only_downloaded(home: Path, anne: Visitor, content: bytes) -> None:
    """A page or a drawing that calls itself a PDF is told by its bytes and never opened in the console's own place."""
    with Firm(home) as firm, desk(firm) as work:
        work.deliver(("facture.pdf", content), number="000204")
        number = overview.filed(firm, most=1)[0].id
    answer = anne.get(f"/documents/{number}/original")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_form_that_is_too_large_gets_a_calm_answer(anne: Visitor) -> None:
    """It is refused by its size, and the console goes on."""
    anne.get("/me")
    answer = anne.post("/fetch", {"next": "x" * 400_000})
    assert answer.status == 413
    assert "console.too_large" in answer.text
    assert anne.get("/").status == 200


def test_a_path_is_never_a_way_to_a_file(anne: Visitor) -> None:
    """Dots and slashes in an address lead nowhere."""
    for path in ("/static/../application.py", "/static/%2e%2e/application.py", "/documents/..%2f1", "/documents/x"):
        assert anne.get(path).status == 404, path


def test_the_console_opens_to_the_network_with_a_certificate_only(site: Site) -> None:
    """Without one it refuses to start, with a sentence that says what is missing."""
    told = navette(site.home, "--language", "en", "console", "--host", "0.0.0.0", "--port", "0", check=False)
    assert told.returncode == 2
    assert "console.needs_certificate" in told.stderr
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        told = navette(site.home, "--language", "en", "console", "--port", port, check=False)
    assert told.returncode == 2
    assert "console.port_taken" in told.stderr
