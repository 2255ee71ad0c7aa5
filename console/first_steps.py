"""The page of guided first steps: what is done already and what comes next; never does a step itself."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from console.page import Group, Pages
from console.visit import Visit
from dossiers import dossier as dossiers
from dossiers import users
from dossiers.designation import holder
from dossiers.firm import Firm
from dossiers.users import Role

PAGES = Pages()


@dataclass(frozen=True)
class Step:
    """A step: the texts ``step_<name>`` and ``step_<name>_text``, the page where it is done, and whether it is done."""

    name: str
    path: str
    done: Callable[[Firm], bool]


STEPS = (
    Step("firm", "/firm", lambda firm: bool(firm.settings.text("fiduciary.name"))),
    Step("dossiers", "/dossiers", lambda firm: bool(dossiers.every(firm))),
    Step(
        "ftp", "/ftp", lambda firm: bool(firm.settings.text("ftp.host")) and firm.settings.is_set("ftp.read_password")
    ),
    Step("service", "/service", lambda firm: holder(firm) is not None),
    Step("colleagues", "/users", lambda firm: len(users.every(firm)) > 1),
)


@PAGES.get("/first-steps", Role.ADMINISTRATOR, menu="menu.first_steps", group=Group.SETTINGS)
def first_steps(visit: Visit) -> Response:
    """Show the steps from an empty console to a morning's work."""
    steps = [(step, step.done(visit.firm)) for step in STEPS]
    return visit.page("first_steps.html", steps=steps, following=next((step for step, done in steps if not done), None))
