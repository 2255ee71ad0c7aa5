"""The page that proposes a rule from a document that was just filed; never keeps one before a person has seen it."""

from starlette.responses import Response

from console.page import Pages
from console.visit import Visit
from dossiers import dossier as dossiers
from dossiers import mail_rules, senders
from dossiers.document import Document
from dossiers.dossier import Dossier
from dossiers.mail_rule import Comparison, Field, Kind, Rule
from dossiers.users import Role
from mail_intake.findings import findings
from transfer.failures import PermanentFailure

PAGES = Pages()

_SHOWN = 20


@PAGES.get("/waiting/rule", Role.ACCOUNTANT, every_dossier=True)
def proposal(visit: Visit) -> Response:
    """Show the rule that would file this sender's mails, and what it would have caught so far."""
    found, dossier = _asked(visit, visit.query.number("document"), visit.query.text("dossier", 20))
    rule = _rule(found, dossier)
    known = mail_rules.every(visit.firm)
    numbers = [each.number for each in dossiers.every(visit.firm)]
    troubles = [one for one in findings([*known, rule], numbers) if rule in (one.rule, one.other)]
    return visit.page(
        "waiting_rule.html",
        document=found,
        dossier=dossier,
        caught=senders.latest(visit.firm, found.sender or "", _SHOWN),
        history=list(senders.history(visit.firm, found.sender or "").items()),
        troubles=troubles,
        name=visit.office.directory.name,
    )


@PAGES.post("/waiting/rule", Role.ACCOUNTANT, every_dossier=True)
def keep(visit: Visit) -> Response:
    """Keep the rule that was proposed."""
    found, dossier = _asked(visit, visit.form.number("document"), visit.form.text("dossier", 20))
    mail_rules.add(visit.firm, _rule(found, dossier))
    visit.note("rule.made", f"{found.sender} → {dossier.number}")
    return visit.done("/waiting", "console.rule_kept", sender=found.sender, dossier=f"{dossier.number} {dossier.name}")


def _asked(visit: Visit, number: int | None, dossier: str) -> tuple[Document, Dossier]:
    found = visit.document(number or 0)
    if found.origin != "mail" or not found.sender:
        raise PermanentFailure("console.no_sender")
    return found, dossiers.find_open(visit.firm, dossier)


def _rule(document: Document, dossier: Dossier) -> Rule:
    return Rule(Kind.INCLUSION, Field.SENDER, Comparison.EQUALS, (document.sender or "",), dossier.number)
