"""The console as one ASGI application: lets the gate decide on a request, and answers; never reads a table itself."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console import (
    documents,
    dossier_pages,
    firm_page,
    first_steps,
    ftp_pages,
    handing_pages,
    me,
    people,
    service_pages,
    signing_in,
    today,
    waiting,
    waiting_rule,
)
from console.form import Form
from console.gate import HEADERS, check_host, check_origin, check_token, may_open
from console.office import STATIC, Office, preferred_language
from console.page import Entry, Page, Pages
from console.visit import NOTICE, SPOKEN, VISITOR, Visit, read_notice
from dossiers import user_sessions
from transfer.failures import Failure, PermanentFailure, TemporaryFailure
from transfer.language import LANGUAGES

MODULES: tuple[Pages, ...] = (
    signing_in.PAGES,
    today.PAGES,
    waiting_rule.PAGES,
    waiting.PAGES,
    documents.PAGES,
    first_steps.PAGES,
    firm_page.PAGES,
    dossier_pages.PAGES,
    handing_pages.PAGES,
    ftp_pages.PAGES,
    service_pages.PAGES,
    people.PAGES,
    me.PAGES,
)
"""The pages of the console, in the order of the menu."""

_THREADS = 8  # visits at a time: each may hold a connection to the database
_STATUS = {
    "console.no_page": 404,
    "console.no_document": 404,
    "console.forbidden": 403,
    "console.foreign": 403,
    "console.old_form": 403,
    "console.unknown_host": 400,
    "console.too_large": 413,
    "console.no_method": 405,
    "console.unexpected": 500,
    "journal.unknown_document": 404,
    "waiting.unknown_document": 404,
    "dossier.unknown": 404,
    "user.unknown": 404,
}
"""Status of the failures that end on a page of their own; 409 for all others, 503 for what passes by itself."""

_log = logging.getLogger("navette.console")


@dataclass(frozen=True)
class _Asked:
    """A request, read as far as the event loop has to."""

    method: str
    scheme: str
    path: str
    query: str
    headers: Headers
    places: dict[str, str]
    fields: Form
    cookies: dict[str, str]
    address: str


class Application:
    """Answers requests with the pages of ``modules``; ``names`` are the host names it may be asked under."""

    def __init__(self, office: Office, names: Collection[str], modules: Collection[Pages] = MODULES) -> None:
        self._office = office
        self._names = names
        self._entries: list[Entry] = [entry for module in modules for entry in module.entries]
        routes = [
            Route(page.path, self._endpoint(page), methods=[page.method]) for pages in modules for page in pages.pages
        ]
        files = Mount("/static", StaticFiles(directory=STATIC), middleware=[Middleware(GZipMiddleware)])
        answers = {HTTPException: self._no_page}
        starlette = Starlette(routes=[*routes, files], exception_handlers=answers, lifespan=_few_threads)  # type: ignore[arg-type]
        self.asgi: ASGIApp = _with_headers(starlette)

    def _endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if page.method == "GET":
                return await run_in_threadpool(self._answer, page, _asked(request, FormData()))
            try:
                async with _bounded(request, page.largest).form(max_files=20, max_fields=5000) as fields:
                    return await run_in_threadpool(self._answer, page, _asked(request, fields))
            except PermanentFailure as failure:
                return await run_in_threadpool(self._failed, _asked(request, FormData()), failure)

        return answer

    async def _no_page(self, request: Request, error: HTTPException) -> Response:
        failure = PermanentFailure("console.no_method" if error.status_code == 405 else "console.no_page")
        return await run_in_threadpool(self._failed, _asked(request, FormData()), failure)

    def _failed(self, asked: _Asked, failure: Failure) -> Response:
        return _failure_page(self._visit(asked), failure)

    def _answer(self, page: Page, asked: _Asked) -> Response:
        visit = self._visit(asked)
        try:
            check_host(asked.headers.get("host", ""), self._names)
            if page.method == "POST":
                check_origin(asked.headers, asked.scheme)
            if page.needed is not None and visit.signed_in is None:
                return signing_in.sign_in_first(visit, asked.method, asked.query, "hx-request" in asked.headers)
            if page.method == "POST":
                check_token(visit.form.raw("token"), visit.token)
            if visit.signed_in is not None and not may_open(page, visit.user):
                raise PermanentFailure("console.forbidden")
            return page.show(visit)
        except Failure as failure:
            return _failure_page(visit, failure)
        except Exception:  # noqa: BLE001  the outermost loop of a visit: the next one must still be answered
            _log.exception("visit %s %s console.unexpected", page.method, page.path)
            return _failure_page(visit, PermanentFailure("console.unexpected"))

    def _visit(self, asked: _Asked) -> Visit:
        office = self._office
        word = asked.cookies.get(office.cookie, "")
        signed_in = user_sessions.find(office.firm, word) if word else None
        visitor = asked.cookies.get(VISITOR) or secrets.token_urlsafe(24)
        spoken = asked.cookies.get(SPOKEN, "")
        if signed_in is not None:
            spoken = signed_in[1].language
        if spoken not in LANGUAGES:
            spoken = preferred_language(asked.headers.get("accept-language", ""))
        visit = Visit(
            office,
            asked.path,
            asked.places,
            Form(QueryParams(asked.query[:4000])),
            asked.fields,
            asked.address,
            asked.headers.get("user-agent", ""),
            office.texts[spoken],
            word if signed_in else visitor,
            signed_in,
            [entry for entry in self._entries if signed_in and may_open(entry.page, signed_in[1])],
            read_notice(asked.cookies.get(NOTICE)),
        )
        if signed_in is None and VISITOR not in asked.cookies:
            visit.keep(VISITOR, visitor)
        return visit


def _failure_page(visit: Visit, failure: Failure) -> Response:
    """Return the calm page of a failure."""
    status = _STATUS.get(failure.code, 503 if isinstance(failure, TemporaryFailure) else 409)
    heading = "console.not_found" if status == 404 else "console.failure"
    return visit.page("failure.html", status, failure=failure, heading=heading)


def _asked(request: Request, fields: FormData) -> _Asked:
    return _Asked(
        request.method,
        request.url.scheme,
        request.url.path,
        request.url.query,
        request.headers,
        dict(request.path_params),
        Form(fields),
        request.cookies,
        request.client.host if request.client else "",
    )


def _bounded(request: Request, largest: int) -> Request:
    """Return the request with a body that is refused (``console.too_large``) once it grows too large."""
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            raise PermanentFailure("console.too_large", largest=largest // 1024)
        return message

    return Request(request.scope, receive)


def _with_headers(application: ASGIApp) -> ASGIApp:
    """Add the headers that keep a browser careful to every answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                forever = scope["path"].startswith("/static/") and message["status"] == 200 and scope["query_string"]
                wanted = HEADERS | ({"cache-control": "public, max-age=31536000, immutable"} if forever else {})
                added = [(name.encode(), value.encode()) for name, value in wanted.items()]
                message["headers"] = [*message["headers"], *(one for one in added if one[0] not in there)]
            await send(message)

        await application(scope, receive, headed if scope["type"] == "http" else send)

    return answer


@asynccontextmanager
async def _few_threads(_: Starlette) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = _THREADS
    yield
