"""The page of one's own account: password, codes by telephone, sessions; never anybody else's."""

import time

import segno
from markupsafe import Markup
from starlette.responses import Response

from console.one_time_code import address, fitting_step, new_key
from console.page import Pages
from console.signing_in import check_same
from console.visit import Visit
from dossiers import user_sessions, users
from dossiers.users import Role
from transfer.failures import PermanentFailure

PAGES = Pages()


@PAGES.get("/me", Role.READER)
def me(visit: Visit) -> Response:
    """Show one's own account."""
    return _page(visit)


@PAGES.post("/me/password", Role.READER)
def change_password(visit: Visit) -> Response:
    """Keep a new password; all sessions end with the old one, but for this one, which begins anew."""
    form, passwords = visit.form, visit.office.passwords
    try:
        _check_present(visit)
        check_same(form.raw("new"), form.raw("again"))
        users.set_password(visit.firm, visit.user.id, passwords.hash(form.raw("new")))
    except PermanentFailure as failure:
        wrong = "present" if failure.code in {"user.wrong_password", "user.too_many_tries"} else "new"
        return _page(visit, 422, {wrong: failure})
    visit.note("user.changed_password")
    visit.keep(visit.office.cookie, user_sessions.begin(visit.firm, visit.user.id, visit.address, visit.browser))
    return visit.done("/me", "console.password_changed")


@PAGES.post("/me/code", Role.READER)
def ask_code(visit: Visit) -> Response:
    """Ask a code at each sign-in from now on: first with a new key to read, then once a code of it was given."""
    key = visit.form.text("key", 64)
    if not key:
        return _page(visit, key=new_key())
    try:
        _check_present(visit)
        if fitting_step(key, visit.form.text("code", 12), time.time()) is None:
            return _page(visit, 422, {"code": PermanentFailure("user.wrong_code")}, key)
    except PermanentFailure as failure:
        return _page(visit, 422, {"present": failure}, key)
    users.set_one_time_key(visit.firm, visit.user.id, key)
    visit.note("user.asks_code")
    return visit.done("/me", "console.code_on")


@PAGES.post("/me/no-code", Role.READER)
def ask_no_code(visit: Visit) -> Response:
    """Ask no code any more."""
    try:
        _check_present(visit)
    except PermanentFailure as failure:
        return _page(visit, 422, {"present": failure})
    users.set_one_time_key(visit.firm, visit.user.id, None)
    visit.note("user.asks_no_code")
    return visit.done("/me", "console.code_off")


@PAGES.post("/me/sessions", Role.READER)
def end_session(visit: Visit) -> Response:
    """End one of one's own sessions."""
    user_sessions.end(visit.firm, visit.form.text("session", 64), visit.user.id)
    visit.note("user.ended_session", visit.user.name)
    return visit.done("/me", "console.session_ended")


def _check_present(visit: Visit) -> None:
    """Ask for the present password again before what a stranger at an open screen must not do."""
    if not visit.office.tries.may_try(visit.user.name, visit.address):
        raise PermanentFailure("user.too_many_tries")
    known = users.credentials(visit.firm, visit.user.name)
    if known is None or not visit.office.passwords.fits(known.password, visit.form.raw("present", users.LONGEST)):
        raise PermanentFailure("user.wrong_password")
    visit.office.tries.forget(visit.user.name, visit.address)


def _page(
    visit: Visit, status: int = 200, faults: dict[str, PermanentFailure] | None = None, key: str = ""
) -> Response:
    drawn = Markup()
    if key:
        code = segno.make(address(key, visit.user.name, "Navette"), error="m")
        drawn = Markup(code.svg_inline(scale=4, border=2, omitsize=True, light="white"))  # noqa: S704  segno draws it
    sessions = user_sessions.every(visit.firm, visit.user.id)
    return visit.page("me.html", status, faults=faults or {}, key=key, drawn=drawn, sessions=sessions)
