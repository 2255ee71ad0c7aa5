"""The pages of the FTP server: address, two accounts, a trial of it, what lies aside; never shows a password."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from starlette.responses import Response

from console import own_server, settings_form
from console.page import Group, Pages
from console.visit import Visit
from dossiers.ftp_access import deposit_connection, read_connection
from dossiers.users import Role
from fetcher.trial import Step, certificate_of, try_server
from transfer.accounts import AccountKind
from transfer.failures import Failure, PermanentFailure

PAGES = Pages()

_PLACE = ("ftp.host", "ftp.port", "ftp.security", "ftp.fingerprint", "ftp.passive")
_ACCOUNTS = ("ftp.read_user", "ftp.read_password", "ftp.write_user", "ftp.write_password")
_FETCHING = ("fetch.connections", "fetch.settle_seconds")
_NAMES = (*_PLACE, *_ACCOUNTS, *_FETCHING)
_DECIDED = {
    "release": "console.ftp.released",
    "discard": "console.ftp.discarded",
    "restore": "console.ftp.restored",
}
"""What may be decided of a file that lies aside, and what is said then."""
_OTHER_CERTIFICATE = ("session.certificate_refused", "session.fingerprint_differs")
_AGAIN = {"ftp.read_password": "read_again", "ftp.write_password": "write_again"}


@PAGES.get("/ftp", Role.ADMINISTRATOR, menu="menu.ftp", group=Group.SETTINGS)
def ftp(visit: Visit) -> Response:
    """Show where the server is and who logs in."""
    return _page(visit)


@PAGES.post("/ftp", Role.ADMINISTRATOR)
def change(visit: Visit) -> Response:
    """Keep the settings, and try the server if that was asked."""
    said = settings_form.typed(visit.form, _NAMES)
    wrong: dict[str, Failure] = {**settings_form.faults(said)}
    for name, again in _AGAIN.items():
        if visit.form.raw(name) != visit.form.raw(again):
            wrong[again] = PermanentFailure("console.passwords_differ")
    for name, kind in (("ftp.write_user", AccountKind.READ), ("ftp.read_user", AccountKind.WRITE)):
        if said[name].upper().startswith(f"{kind}_"):
            wrong[name] = PermanentFailure("ftp_page.accounts_exchanged")
    if wrong:
        return _page(visit, 422, said, wrong)
    changed = settings_form.keep(visit.firm, said)
    if changed:
        visit.note("ftp.changed", " ".join(changed))
    if not visit.form.ticked("try"):
        return visit.done("/ftp", "console.kept")
    return _tried(visit)


@PAGES.post("/ftp/pin", Role.ADMINISTRATOR)
def pin(visit: Visit) -> Response:
    """Trust exactly the certificate that was shown, and try again."""
    said = {"ftp.fingerprint": visit.form.text("ftp.fingerprint", 100)}
    wrong = settings_form.faults(said)
    if wrong:
        return _page(visit, 422, None, {**wrong})
    settings_form.keep(visit.firm, said)
    visit.note("ftp.pinned", said["ftp.fingerprint"][:16])
    return _tried(visit)


@PAGES.post("/ftp/renew", Role.ADMINISTRATOR)
def renew(visit: Visit) -> Response:
    """Give READ or the shared WRITE of our own server a new password."""
    kind = AccountKind.READ if visit.form.text("kind") == AccountKind.READ else AccountKind.WRITE
    login = own_server.renew_password(visit.firm, kind)
    visit.note("ftp.renewed", login)
    return visit.done("/ftp", "console.ftp.renewed", login=login)


@PAGES.get("/ftp/aside", Role.ADMINISTRATOR)
def aside(visit: Visit) -> Response:
    """Show the doubtful files and the trash of our own server."""
    suspects, trash = own_server.doubtful(visit.firm), own_server.trash(visit.firm)
    return visit.page("ftp_aside.html", suspects=suspects, trash=trash[:500], since=_since)


@PAGES.post("/ftp/aside/{id}", Role.ADMINISTRATOR)
def decide(visit: Visit) -> Response:
    """Publish, discard or bring back a file."""
    deed = visit.form.text("deed")
    if deed not in _DECIDED:
        raise PermanentFailure("console.no_page")
    own_server.decide(visit.firm, deed, visit.places["id"])
    visit.note(f"ftp.{deed}", visit.places["id"])
    return visit.done("/ftp/aside", _DECIDED[deed])


def _tried(visit: Visit) -> Response:
    """Try the server as it is kept, and show how each step went."""
    try:
        read, write = read_connection(visit.firm), deposit_connection(visit.firm)
    except PermanentFailure as failure:
        lacking = str(failure.values.get("name"))
        return _page(visit, 422, None, {lacking if lacking in _NAMES else "ftp.host": failure})
    steps = try_server(read, write)
    code = next((step.failure.code for step in steps if step.failure), "")
    found = certificate_of(read) if code in _OTHER_CERTIFICATE else None
    visit.note("ftp.tried", code)
    return _page(visit, steps=steps, found=found)


def _page(
    visit: Visit,
    status: int = 200,
    said: Mapping[str, str] | None = None,
    wrong: Mapping[str, Failure] | None = None,
    *,
    steps: Sequence[Step] = (),
    found: str | None = None,
) -> Response:
    settings = settings_form.shown(visit.firm, _NAMES, said)
    values = {
        "settings": settings,
        "place": [settings[name] for name in _PLACE],
        "fetching": [settings[name] for name in _FETCHING],
        "own_server": own_server.is_here(visit.firm),
        "aside": len(own_server.doubtful(visit.firm)) if own_server.is_here(visit.firm) else 0,
        "number": visit.firm.settings.text("fiduciary.number"),
        "steps": steps,
        "found": found,
        "faults": wrong or {},
    }
    return visit.page("ftp.html", status, **values)


def _since(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
