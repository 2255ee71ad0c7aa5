"""The pages of users and of what they did; never shows a password again once it was made."""

from starlette.responses import Response

from console.form import Form
from console.page import Group, Pages
from console.signing_in import check_same
from console.visit import Visit
from dossiers import deeds, user_sessions, users
from dossiers import dossier as dossiers
from dossiers.users import Role, User
from transfer.failures import PermanentFailure

PAGES = Pages()

_PAGE = 100


@PAGES.get("/users", Role.ADMINISTRATOR, menu="menu.users", group=Group.SETTINGS)
def everybody(visit: Visit) -> Response:
    """List the users, with their sessions, and a form for a new one."""
    return _everybody(visit)


@PAGES.post("/users", Role.ADMINISTRATOR)
def add(visit: Visit) -> Response:
    """Make a user."""
    form = visit.form
    try:
        check_same(form.raw("password"), form.raw("again"))
        hashed = visit.office.passwords.hash(form.raw("password"))
        language = form.text("language", 2)
        user = users.add(visit.firm, form.text("name", 100), _role(form), language, hashed, dossiers=_numbers(visit))
    except PermanentFailure as failure:
        named = {"user.bad_name": "name", "user.name_taken": "name", "dossier.unknown": "dossiers"}
        return _everybody(visit, 422, {named.get(failure.code, "password"): failure})
    visit.note("user.made", user.name)
    return visit.done("/users", "console.user_made", name=user.name)


@PAGES.get("/users/{user}", Role.ADMINISTRATOR)
def one(visit: Visit) -> Response:
    """Show what a user may do."""
    return _one(visit, users.find(visit.firm, visit.place("user")))


@PAGES.post("/users/{user}", Role.ADMINISTRATOR)
def change(visit: Visit) -> Response:
    """Change what a user may do."""
    user = users.find(visit.firm, visit.place("user"))
    try:
        users.change(visit.firm, user.id, _role(visit.form), _numbers(visit), visit.form.ticked("closed"))
    except PermanentFailure as failure:
        return _one(visit, user, 422, {"dossiers" if failure.code == "dossier.unknown" else "role": failure})
    visit.note("user.changed", user.name)
    return visit.done("/users", "console.user_changed", name=user.name)


@PAGES.post("/users/{user}/password", Role.ADMINISTRATOR)
def set_password(visit: Visit) -> Response:
    """Give a user another password, which asks for no code; their sessions end."""
    user = users.find(visit.firm, visit.place("user"))
    try:
        check_same(visit.form.raw("password"), visit.form.raw("again"))
        users.set_password(visit.firm, user.id, visit.office.passwords.hash(visit.form.raw("password")))
    except PermanentFailure as failure:
        return _one(visit, user, 422, {"password": failure})
    users.set_one_time_key(visit.firm, user.id, None)
    visit.note("user.given_password", user.name)
    return visit.done("/users", "console.user_changed", name=user.name)


@PAGES.post("/users/{user}/sessions", Role.ADMINISTRATOR)
def end_session(visit: Visit) -> Response:
    """End a session of a user."""
    user = users.find(visit.firm, visit.place("user"))
    user_sessions.end(visit.firm, visit.form.text("session", 64), user.id)
    visit.note("user.ended_session", user.name)
    return visit.done("/users", "console.session_ended")


@PAGES.get("/deeds", Role.ADMINISTRATOR, menu="menu.deeds", group=Group.SETTINGS)
def what_was_done(visit: Visit) -> Response:
    """List who did what, the newest first."""
    found = deeds.latest(visit.firm, visit.query.number("before"), _PAGE)
    return visit.page("deeds.html", deeds=found, more=len(found) == _PAGE)


def _everybody(visit: Visit, status: int = 200, faults: dict[str, PermanentFailure] | None = None) -> Response:
    everyone = users.every(visit.firm)
    names = {user.id: user.name for user in everyone}
    sessions = user_sessions.every(visit.firm)
    return visit.page(
        "users.html", status, users=everyone, sessions=sessions, names=names, roles=_roles(visit), faults=faults or {}
    )


def _one(visit: Visit, user: User, status: int = 200, faults: dict[str, PermanentFailure] | None = None) -> Response:
    return visit.page("user.html", status, shown=user, roles=_roles(visit), faults=faults or {})


def _roles(visit: Visit) -> list[tuple[str, str]]:
    return [(role.value, visit.language.say(f"role.{role.value}")) for role in Role]


def _role(form: Form) -> Role:
    """Return the role that a form names; anything else may do least."""
    named = form.text("role", 20)
    return Role(named) if named in set(Role) else Role.READER


def _numbers(visit: Visit) -> list[str] | None:
    """Return the numbers of the dossiers a user may see, or None for every one; ``dossier.unknown`` for a wrong one."""
    if visit.form.ticked("every"):
        return None
    named = visit.form.text("dossiers").replace(",", " ").split()
    return [dossiers.find(visit.firm, number).number for number in named]
