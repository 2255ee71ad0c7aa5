"""The page of the firm itself: its number, name, language and the folder of its dossiers; never changes a dossier."""

from collections.abc import Mapping

from starlette.responses import Response

from console import settings_form
from console.page import Group, Pages
from console.visit import Visit
from dossiers.users import Role
from transfer.failures import Failure

PAGES = Pages()

_NAMES = ("fiduciary.number", "fiduciary.name", "fiduciary.language", "dossiers.root")


@PAGES.get("/firm", Role.ADMINISTRATOR, menu="menu.firm", group=Group.SETTINGS)
def firm(visit: Visit) -> Response:
    """Show what the firm says of itself."""
    return _page(visit)


@PAGES.post("/firm", Role.ADMINISTRATOR)
def change(visit: Visit) -> Response:
    """Keep it."""
    return settings_form.take(visit, _NAMES, "firm.changed", _page)


def _page(
    visit: Visit,
    status: int = 200,
    said: Mapping[str, str] | None = None,
    faults: Mapping[str, Failure] | None = None,
) -> Response:
    shown = settings_form.shown(visit.firm, _NAMES, said)
    return visit.page("firm.html", status, settings=shown, faults=faults or {})
