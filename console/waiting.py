"""The pages of the waiting list: look, choose a dossier, next; never files a document that nobody chose one for."""

import contextlib
from collections.abc import Sequence

from starlette.responses import Response

from console.documents import look, patiently, subjects, why
from console.page import Pages
from console.suggestion import Seen, Suggestion
from console.visit import Visit, sentence
from dossiers import senders, waiting_list
from dossiers.document import Document
from dossiers.users import Role
from transfer.failures import Failure, PermanentFailure

PAGES = Pages()

_LISTED = 40
_BEFORE = 5  # documents of the list that stay visible above the one that is looked at


@PAGES.get("/waiting", Role.READER, every_dossier=True, menu="menu.waiting")
def waiting(visit: Visit) -> Response:
    """Show the waiting list, opened at its first document."""
    return _page(visit, next(iter(waiting_list.waiting(visit.firm, most=1)), None))


@PAGES.get("/waiting/refused", Role.READER, every_dossier=True)
def refused(visit: Visit) -> Response:
    """List the documents that were refused."""
    return visit.page("refused.html", found=waiting_list.refused(visit.firm))


@PAGES.get("/waiting/{document}", Role.READER, every_dossier=True)
def one(visit: Visit) -> Response:
    """Show the waiting list, opened at a document."""
    found = visit.document()
    if not _waits(found):
        return visit.go(f"/documents/{found.id}")
    return _page(visit, found)


@PAGES.get("/waiting/{document}/suggestion", Role.READER, every_dossier=True)
def suggestion(visit: Visit) -> Response:
    """Propose a dossier for a document, with the reasons, as a part of the page."""
    proposed = _suggestion(visit, visit.document())
    return visit.page("suggestion.html", suggestion=proposed)


@PAGES.post("/waiting/{document}/assign", Role.ACCOUNTANT, every_dossier=True)
def assign(visit: Visit) -> Response:
    """Put a document, and those ticked beside it, into a dossier, and go on with the next."""
    first = visit.document()
    typed = visit.form.text("dossier", 200) or visit.form.text("suggested", 20)
    try:
        dossier = visit.office.directory.meant(typed)
    except PermanentFailure as failure:
        return _page(visit, first, 422, {"dossier": failure})
    numbers = list(dict.fromkeys([first.id, *visit.form.numbers("also")]))
    moved: list[Document] = []
    for number in numbers:
        try:
            moved.append(patiently(waiting_list.assign, visit.firm, number, dossier.number, by=visit.user.name))
        except Failure as failure:
            if not moved:
                return _not_done(visit, first, failure)
            break
    visit.note("document.assigned", f"{subjects(moved)} → {dossier.number}")
    if visit.form.ticked("always") and first.origin == "mail" and first.sender:
        return visit.go(f"/waiting/rule?document={first.id}&dossier={dossier.number}")
    following = _next(visit, first)
    to = f"/waiting/{following.id}" if following else "/waiting"
    said = {"name": moved[0].name, "dossier": f"{dossier.number} {dossier.name}", "number": len(moved)}
    undo = {"documents": [document.id for document in moved]}
    return visit.done(to, "console.assigned" if len(moved) == 1 else "console.assigned_several", undo, **said)


@PAGES.post("/waiting/undo", Role.ACCOUNTANT, every_dossier=True)
def undo(visit: Visit) -> Response:
    """Take documents back that were assigned a moment ago."""
    back = [
        patiently(waiting_list.take_back, visit.firm, number, by=visit.user.name)
        for number in visit.form.numbers("document")
    ]
    if not back:
        return visit.go("/waiting")
    visit.note("document.taken_back", subjects(back))
    return visit.done(f"/waiting/{back[0].id}", "console.taken_back", name=back[0].name)


@PAGES.post("/waiting/{document}/refuse", Role.ACCOUNTANT, every_dossier=True)
def refuse(visit: Visit) -> Response:
    """Take a document off the list; it is kept."""
    remark = visit.form.text("remark", 200) or None
    try:
        found = patiently(waiting_list.refuse, visit.firm, visit.document().id, visit.user.name, remark)
    except Failure as failure:
        return _not_done(visit, visit.document(), failure)
    visit.note("document.refused", found.id)
    following = _next(visit, found)
    return visit.done(f"/waiting/{following.id}" if following else "/waiting", "console.refused", name=found.name)


@PAGES.post("/waiting/{document}/readmit", Role.ACCOUNTANT, every_dossier=True)
def readmit(visit: Visit) -> Response:
    """Put a refused document back on the list."""
    found = patiently(waiting_list.readmit, visit.firm, visit.document().id, visit.user.name)
    visit.note("document.readmitted", found.id)
    return visit.done(f"/waiting/{found.id}", "console.readmitted", name=found.name)


def _waits(document: Document) -> bool:
    return document.dossier is None and document.refused is None


def _next(visit: Visit, document: Document) -> Document | None:
    """Return the document that waits behind another, or the first of the list."""
    behind = waiting_list.waiting(visit.firm, after=document.id, most=1)
    return next(iter(behind or waiting_list.waiting(visit.firm, most=1)), None)


def _not_done(visit: Visit, document: Document, failure: Failure) -> Response:
    """Say why nothing was done: beside the document while it waits, else beside the next one, with an empty field."""
    if failure.code == "waiting.already_assigned":
        failure = PermanentFailure("console.already_assigned", **failure.values)
    still = visit.document(document.id)
    return _page(visit, still if _waits(still) else _next(visit, document), 409, {"page": failure})


def _page(
    visit: Visit, document: Document | None, status: int = 200, faults: dict[str, Failure] | None = None
) -> Response:
    listed = _around(visit, document)
    past = senders.history(visit.firm, document.sender or "") if document else {}
    return visit.page(
        "waiting.html",
        status,
        document=document,
        typed=visit.form.text("dossier", 200) if "dossier" in (faults or {}) else "",
        listed=listed,
        following=next((each for each in listed if document and each.id > document.id), None),
        earlier=next((each for each in reversed(listed) if document and each.id < document.id), None),
        past=list(past.items())[:3],
        why=lambda each: why(visit, each),
        name=visit.office.directory.name,
        faults=faults or {},
        sentence=lambda failure: sentence(visit.language, failure),
    )


def _around(visit: Visit, document: Document | None) -> Sequence[Document]:
    """Return the part of the list that a document stands in."""
    if document is None:
        return ()
    before = waiting_list.waiting_before(visit.firm, document.id, _BEFORE)
    return [*before, *waiting_list.waiting(visit.firm, after=document.id - 1, most=_LISTED)]


def _suggestion(visit: Visit, document: Document) -> Suggestion:
    """Return what a document's sender and content say; content that cannot be read says nothing."""
    text, invoice = "", None
    with contextlib.suppress(Failure):
        seen = look(visit, document)
        text, invoice = seen.text, seen.invoice
    parties = invoice or {"supplier": {"numbers": ()}, "customer": {"numbers": ()}}
    history = senders.history(visit.firm, document.sender or "")
    numbers = parties["supplier"]["numbers"], parties["customer"]["numbers"]
    known = Seen(f"{document.name} {text}", document.sender or "", *numbers)
    return visit.office.directory.register().suggest(known, history)
