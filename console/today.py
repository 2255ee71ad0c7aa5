"""The page that a day begins with: what came, what waits, how the service is; never changes a document."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from starlette.responses import Response

from console.chart import bars
from console.page import Pages
from console.visit import Visit
from dossiers import alarms, failing, overview
from dossiers.alarm import Kind
from dossiers.alarms import RAISED, Alarm, Notice
from dossiers.designation import holder
from dossiers.rounds import ask_at_once, is_ticked, next_turn, statuses
from dossiers.users import Role
from fetcher.alarm_channels import sentence

PAGES = Pages()

_DAYS = 14
_MOST_FAILING = 10


@PAGES.get("/", Role.READER, menu="menu.today")
def today(visit: Visit) -> Response:
    """Show the day; the browser asks for it again every half minute."""
    firm, user = visit.firm, visit.user
    seen = None if user.every_dossier else user.dossiers
    day = firm.clock().astimezone().date()
    days = [day - timedelta(days=back) for back in reversed(range(_DAYS))]
    counts = {each: overview.came(firm, _start(each), _start(each + timedelta(days=1)), seen) for each in days}
    told = [alarm for alarm in alarms.every(firm) if user.every_dossier]
    turn, due = next_turn(firm)
    running = holder(firm)
    return visit.page(
        "today.html",
        weekday=visit.office.words[visit.language.code].weekday(day),
        came=counts[day],
        ready=sum(overview.ready_by_dossier(firm, seen).values()),
        chart=_chart(visit, {each: {one.origin: one for one in found} for each, found in counts.items()}),
        origins=sorted({one.origin for found in counts.values() for one in found}),
        turn=turn,
        due=due,
        machine=running[0] if running else "",
        since=running[1] if running else None,
        statuses=[(status, is_ticked(firm, status.source)) for status in statuses(firm)],
        alarms=[alarm for alarm in told if alarm.kind is not Kind.SILENT],
        silent=[alarm for alarm in told if alarm.kind is Kind.SILENT],
        sentence=lambda alarm: _sentence(visit, alarm),
        failing=failing.every(firm)[:_MOST_FAILING] if user.every_dossier else [],
    )


@PAGES.post("/fetch", Role.ACCOUNTANT)
def fetch_now(visit: Visit) -> Response:
    """Ask the service for a round at once."""
    ask_at_once(visit.firm)
    visit.note("service.asked")
    back = visit.form.text("next")
    return visit.done(back if back in {"/documents", "/service"} else "/", "console.fetch_asked")


@PAGES.post("/failing/{document}", Role.ACCOUNTANT, every_dossier=True)
def try_again(visit: Visit) -> Response:
    """Let a document that failed be tried again."""
    retried = failing.retry(visit.firm, visit.place("document"), visit.user.name)
    visit.note("document.retried", retried.id)
    return visit.done("/", "console.retried", name=retried.name)


def _start(day: date) -> datetime:
    """Return the moment at which a day begins on this machine's clock."""
    return datetime.combine(day, time()).astimezone().astimezone(UTC)


def _chart(visit: Visit, days: Mapping[date, Mapping[str, overview.Came]]) -> str:
    words = visit.office.words[visit.language.code]
    columns = []
    for day, found in days.items():
        parts = {origin: one.filed + one.waiting + one.under_way for origin, one in sorted(found.items())}
        total = visit.language.say_n("console.documents_n", sum(parts.values()))
        columns.append((f"{day.day}", f"{words.day(day)}: {total}", parts))
    return bars(columns, visit.language.say("console.last_days"))


def _sentence(visit: Visit, alarm: Alarm) -> str:
    told = sentence(visit.language, Notice(0, alarm, RAISED, "", 0, None, None))
    named = visit.office.directory.name(alarm.subject) if alarm.kind is Kind.SILENT else ""
    return f"{named}. {told}" if named else told
