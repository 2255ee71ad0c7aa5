"""The pages by which people come in and go out: first user, sign in, sign out, language; never shows a document."""

import hmac
import time
from urllib.parse import urlencode

from starlette.responses import Response

from console.gate import local_path
from console.one_time_code import fitting_step
from console.page import Pages
from console.visit import SPOKEN, VISITOR, Visit
from dossiers import deeds, user_sessions, users
from dossiers.users import Role
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES

PAGES = Pages()

_YEAR = 365 * 24 * 3600


@PAGES.get("/login", None)
def login(visit: Visit) -> Response:
    """Show the form to sign in."""
    if visit.signed_in is not None:
        return visit.go("/")
    return _login_page(visit, local_path(visit.query.text("next") or "/"))


@PAGES.post("/login", None)
def sign_in(visit: Visit) -> Response:
    """Begin a session for a name and a password that fit, with a code where the user asks for one."""
    name, password = visit.form.text("name", 100), visit.form.raw("password", users.LONGEST)
    following = local_path(visit.form.text("next"))
    try:
        user = _fitting(visit, name, password, visit.form.text("code", 12))
    except PermanentFailure as failure:
        deeds.note(visit.firm, name, visit.address, "user.refused", failure.code)
        status = 429 if failure.code == "user.too_many_tries" else 422
        return _login_page(visit, following, status, name=name, faults={"password": failure})
    visit.office.tries.forget(name, visit.address)
    return _let_in(visit, user, following)


@PAGES.post("/logout", Role.READER)
def sign_out(visit: Visit) -> Response:
    """End this session."""
    assert visit.signed_in is not None
    user_sessions.end(visit.firm, visit.signed_in[0].id)
    visit.note("user.left")
    visit.keep(visit.office.cookie, "", max_age=0)
    return visit.go("/login")


@PAGES.post("/language", None)
def change_language(visit: Visit) -> Response:
    """Go on in another language."""
    spoken = visit.form.text("language", 2)
    if spoken in LANGUAGES:
        visit.keep(SPOKEN, spoken, max_age=_YEAR)
        if visit.signed_in is not None:
            users.set_language(visit.firm, visit.user.id, spoken)
    return visit.go(local_path(visit.form.text("next")))


@PAGES.get("/first/{word}", None)
def first_user(visit: Visit) -> Response:
    """Show the form that makes the first administrator, behind the link that was printed at the start."""
    _check_first_word(visit)
    return visit.page("first.html", name="")


@PAGES.post("/first/{word}", None)
def make_first_user(visit: Visit) -> Response:
    """Make the first administrator and let them in; the link opens nothing any more after that."""
    _check_first_word(visit)
    name, password = visit.form.text("name", 100), visit.form.raw("password")
    try:
        check_same(password, visit.form.raw("again"))
        hashed = visit.office.passwords.hash(password)
        user = users.add(visit.firm, name, Role.ADMINISTRATOR, visit.language.code, hashed, first=True)
    except PermanentFailure as failure:
        faults = {"name" if failure.code == "user.bad_name" else "password": failure}
        return visit.page("first.html", 422, name=name, faults=faults)
    visit.office.first_word = None
    deeds.note(visit.firm, user.name, visit.address, "user.first", user.name)
    return _let_in(visit, user.id, "/first-steps")


def check_same(password: str, again: str) -> None:
    """Refuse a password that was typed differently the second time (``user.not_the_same``)."""
    if password != again:
        raise PermanentFailure("user.not_the_same")


def sign_in_first(visit: Visit, method: str, query: str, is_part: bool) -> Response:
    """Send somebody who has not signed in to the form, and from there back to where they wanted to go."""
    wanted = visit.path + (f"?{query}" if query else "") if method == "GET" else "/"
    to = "/login" + ("" if wanted == "/" else "?" + urlencode({"next": wanted}))
    return Response(status_code=200, headers={"HX-Redirect": to}) if is_part else visit.go(to)


def _login_page(visit: Visit, following: str, status: int = 200, **values: object) -> Response:
    first = not users.any_user(visit.firm)
    return visit.page("login.html", status, following=following, first=first, **{"name": "", **values})


def _fitting(visit: Visit, name: str, password: str, code: str) -> int:
    """Return the user of a name, a password and a code; the refusal never tells which is wrong."""
    office = visit.office
    if not office.tries.may_try(name, visit.address):
        raise PermanentFailure("user.too_many_tries")
    known = users.credentials(visit.firm, name)
    right = office.passwords.fits(known.password if known else None, password)
    if known is None or not right:
        raise PermanentFailure("user.wrong")
    if known.one_time_key is not None:
        step = fitting_step(known.one_time_key, code, time.time())
        if step is None or not users.use_step(visit.firm, known.user, step):
            raise PermanentFailure("user.wrong")
    return known.user


def _let_in(visit: Visit, user: int, following: str) -> Response:
    word = user_sessions.begin(visit.firm, user, visit.address, visit.browser)
    deeds.note(visit.firm, users.find(visit.firm, user).name, visit.address, "user.entered")
    visit.keep(visit.office.cookie, word)
    visit.keep(VISITOR, "", max_age=0)
    return visit.go(following)


def _check_first_word(visit: Visit) -> None:
    right = visit.office.first_word
    if right is None or not hmac.compare_digest(right.encode(), visit.places["word"].encode()):
        raise PermanentFailure("console.no_page")
