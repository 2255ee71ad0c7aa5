"""The page of the service: how it runs, when, which sources, on which machine; never runs a round itself."""

from collections.abc import Mapping

from starlette.responses import Response

from console import settings_form
from console.page import Group, Pages
from console.visit import Visit
from dossiers import failing, pauses
from dossiers.designation import holder
from dossiers.firm import Firm
from dossiers.rounds import ask_at_once, next_turn, statuses
from dossiers.users import Role
from transfer.failures import Failure

PAGES = Pages()

_NAMES = (
    "service.start",
    "service.minutes",
    "service.deadline_minutes",
    "service.ftp",
    "service.mail",
    "service.machine",
)


@PAGES.get("/service", Role.ADMINISTRATOR, menu="menu.service", group=Group.SETTINGS)
def service(visit: Visit) -> Response:
    """Show how the service is, and its settings."""
    return _page(visit)


@PAGES.post("/service", Role.ADMINISTRATOR)
def change(visit: Visit) -> Response:
    """Keep the settings."""
    return settings_form.take(visit, _NAMES, "service.changed", _page)


@PAGES.post("/service/start", Role.ADMINISTRATOR)
def start(visit: Visit) -> Response:
    """Let rounds run again, and the next at once; the service obeys, wherever it runs."""
    visit.firm.settings.set("service.paused", "no")
    ask_at_once(visit.firm)
    visit.note("service.started")
    return visit.done("/service", "console.service.is_started")


@PAGES.post("/service/stop", Role.ADMINISTRATOR)
def stop(visit: Visit) -> Response:
    """Let no further round begin."""
    visit.firm.settings.set("service.paused", "yes")
    visit.note("service.stopped")
    return visit.done("/service", "console.service.is_stopped")


@PAGES.post("/service/take-over", Role.ADMINISTRATOR)
def take_over(visit: Visit) -> Response:
    """Let this machine be the one that runs rounds; a service that runs elsewhere keeps its turn until it is ended."""
    machine = visit.firm.machine
    visit.firm.settings.set("service.machine", machine)
    visit.note("service.taken_over", machine)
    return visit.done("/service", "console.service.taken_over", machine=machine)


def _page(
    visit: Visit,
    status: int = 200,
    said: Mapping[str, str] | None = None,
    wrong: Mapping[str, Failure] | None = None,
) -> Response:
    firm = visit.firm
    turn, due = next_turn(firm)
    known = statuses(firm)
    shown = {
        "turn": turn.value,
        "due": due,
        "holder": holder(firm),
        "rounds": known,
        "paused_folders": [one for each in known for one in pauses.every(firm, each.source)],
        "given_up": _given_up(firm),
        "is_paused": firm.settings.switch("service.paused"),
        "designated": firm.settings.text("service.machine"),
        "machine": firm.machine,
        "settings": settings_form.shown(firm, _NAMES, said),
        "faults": wrong or {},
    }
    return visit.page("service.html", status, **shown)


def _given_up(firm: Firm) -> int:
    return sum(document.waits_for_a_person for document in failing.every(firm))
