"""The pages of documents in dossiers: those that are ready, and the whole life of each; never moves one itself."""

from collections.abc import Callable, Iterable
from threading import Event
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from console import original
from console.page import Pages
from console.preview import Look
from console.visit import Visit
from dossiers import filed, journal, overview, search, waiting_list
from dossiers.document import Document
from dossiers.moving import AT_REST
from dossiers.users import Role
from transfer.failures import Failure, PermanentFailure
from transfer.remote_layout import dossier_of
from transfer.retry import retrying

PAGES = Pages()

_PAGE = 50
_MOST_DOSSIERS = 30
_STATES = {"ready": False, "processed": True, "all": None}
_T = TypeVar("_T")
_P = ParamSpec("_P")


@PAGES.get("/documents", Role.READER, menu="menu.documents")
def documents(visit: Visit) -> Response:
    """List the documents of dossiers, by dossier, state and words."""
    query, seen = visit.query, None if visit.user.every_dossier else visit.user.dossiers
    sought, before = query.text("q", 200), query.number("before")
    state = query.text("state") if query.text("state") in _STATES else "ready"
    typed = query.text("dossier", 100)
    number, faults = None, {}
    try:
        number = visit.office.directory.meant(typed, visit.user.sees).number if typed else None
    except PermanentFailure as failure:
        faults["dossier"] = failure
    if sought:
        found = search.find(visit.firm, sought, seen=seen, dossier=number, before=before, most=_PAGE)
    else:
        processed = _STATES[state]
        found = overview.filed(visit.firm, seen=seen, dossier=number, processed=processed, before=before, most=_PAGE)
    here = {"q": sought, "dossier": typed, "state": state}
    counts = overview.ready_by_dossier(visit.firm, seen)
    return visit.page(
        "documents.html",
        422 if faults else 200,
        found=found,
        more=len(found) == _PAGE,
        sought=sought,
        state=state,
        typed=typed,
        number=number,
        back="/documents?" + urlencode(here),
        older="/documents?" + urlencode(here | {"before": found[-1].id}) if found else "",
        counts=list(counts.items())[:_MOST_DOSSIERS],
        total=sum(counts.values()),
        name=visit.office.directory.name,
        faults=faults,
    )


@PAGES.get("/choices/dossiers", Role.READER)
def choices(visit: Visit) -> Response:
    """Return the dossiers that fit what was typed, as options of a field."""
    typed = visit.query.text("dossier", 100)
    return visit.page("dossier_options.html", found=visit.office.directory.matching(typed, sees=visit.user.sees))


@PAGES.post("/documents", Role.ACCOUNTANT)
def mark(visit: Visit) -> Response:
    """Mark documents as processed, or as not processed after all."""
    processed = visit.form.text("mark") != "unprocessed"
    numbers = visit.form.numbers("document")
    for document in [visit.document(number) for number in numbers]:
        patiently(filed.mark, visit.firm, document.id, processed, visit.user.name)
        visit.note("document.processed" if processed else "document.unprocessed", document.id)
    back = visit.form.text("back")
    to = back if back.startswith("/documents") else "/documents"
    return visit.done(to, "console.marked" if processed else "console.unmarked", number=len(numbers))


@PAGES.get("/documents/{document}", Role.READER)
def document(visit: Visit) -> Response:
    """Show a document with all that ever happened to it."""
    found = visit.document()
    twins = [other for other in journal.twins(visit.firm, found) if visit.user.sees(other.dossier)]
    return visit.page(
        "document.html",
        document=found,
        lines=journal.of_document(visit.firm, found.id),
        twins=twins,
        at_rest=found.state in AT_REST,
        name=visit.office.directory.name,
        place=lambda each: place(visit, each),
        why=lambda each: why(visit, each),
    )


@PAGES.get("/documents/{document}/preview", Role.READER)
def preview(visit: Visit) -> Response:
    """Show what can be seen of a document, as a part of a page; a program of its own reads the file."""
    found = visit.document()
    try:
        seen, failure = look(visit, found), None
    except Failure as met:
        seen, failure = None, met
    return visit.page("preview.html", document=found, look=seen, failure=failure)


@PAGES.get("/documents/{document}/pages/{page}", Role.READER)
def page(visit: Visit) -> Response:
    """Show a page of a document as a picture."""
    found = visit.document()
    if found.sha256 is None:
        raise PermanentFailure("console.no_bytes")
    picture = visit.office.previews.page(found.sha256, original.found(found), visit.place("page"))
    return Response(picture, media_type="image/webp", headers={"cache-control": "private, max-age=86400"})


@PAGES.get("/documents/{document}/original", Role.READER)
def open_original(visit: Visit) -> Response:
    """Open the document itself in the browser's viewer; what a browser could run is only ever downloaded."""
    return original.response(visit.document(), download=False)


@PAGES.get("/documents/{document}/download", Role.READER)
def download(visit: Visit) -> Response:
    """Download the document itself."""
    found = visit.document()
    visit.note("document.downloaded", found.id)
    return original.response(found, download=True)


@PAGES.post("/documents/{document}/back", Role.ACCOUNTANT, every_dossier=True)
def take_back(visit: Visit) -> Response:
    """Take a document out of its dossier, back to the waiting list."""
    found = patiently(waiting_list.take_back, visit.firm, visit.document().id, by=visit.user.name)
    visit.note("document.taken_back", found.id)
    return visit.done(f"/waiting/{found.id}", "console.taken_back", name=found.name)


def look(visit: Visit, document: Document) -> Look:
    """Return what is known of a document's content; refused with a ``preview.`` or ``console.`` code."""
    if document.sha256 is None:
        raise PermanentFailure("console.no_bytes")
    return visit.office.previews.look(document.sha256, original.found(document))


def place(visit: Visit, document: Document) -> str:
    """Return in words where a document is."""
    if document.refused is not None:
        return visit.language.say("console.is_refused")
    if document.state not in AT_REST:
        return visit.language.say("console.under_way")
    if document.dossier is None:
        return visit.language.say("console.waits")
    return f"{document.dossier} {visit.office.directory.name(document.dossier)}"


def why(visit: Visit, document: Document) -> str:
    """Return in words why a document waits; nothing when no reason is known."""
    return visit.language.say(document.reason, number=dossier_of(document.path) or "") if document.reason else ""


def patiently(action: Callable[_P, _T], *words: _P.args, **named: _P.kwargs) -> _T:
    """Do something for which only one person at a time has the right, trying for about two seconds."""
    return retrying(lambda: action(*words, **named), _pause, attempts=6, first=0.02)


def _pause(seconds: float) -> None:
    Event().wait(seconds)


def subjects(documents: Iterable[Document]) -> str:
    """Return the numbers of documents, for the list of deeds."""
    return " ".join(str(document.id) for document in documents)
