"""The page of the firm itself: its number, name, language and the folder of its dossiers; never changes a dossier."""

from collections.abc import Mapping

from starlette.responses import Response

from console import settings_form
from console.page import Group, Pages
from console.visit import Visit
from dossiers.users import Role
from transfer.failures import PermanentFailure

PAGES = Pages()

_NAMES = ("fiduciary.number", "fiduciary.name", "fiduciary.language", "dossiers.root")


@PAGES.get("/firm", Role.ADMINISTRATOR, menu="menu.firm", group=Group.SETTINGS)
def firm(visit: Visit) -> Response:
    """Show what the firm says of itself."""
    return _page(visit)


@PAGES.post("/firm", Role.ADMINISTRATOR)
def change(visit: Visit) -> Response:
    """Keep it."""
    said = settings_form.typed(visit.form, _NAMES)
    wrong = settings_form.faults(said)
    if wrong:
        return _page(visit, 422, said, wrong)
    changed = settings_form.keep(visit.firm, said)
    if changed:
        visit.note("firm.changed", " ".join(changed))
    return visit.done("/firm", "console.kept")


def _page(
    visit: Visit,
    status: int = 200,
    said: Mapping[str, str] | None = None,
    faults: Mapping[str, PermanentFailure] | None = None,
) -> Response:
    shown = settings_form.shown(visit.firm, _NAMES, said)
    return visit.page("firm.html", status, settings=shown, faults=faults or {})
