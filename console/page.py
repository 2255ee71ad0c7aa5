"""What the author of a page has to know: how a page is declared and what it is given; never shows one itself.

A module of pages makes one :class:`Pages` and declares each page on it; :mod:`console.application` lists the modules::

    PAGES = Pages()

    @PAGES.get("/dossiers", Role.ADMINISTRATOR, menu="menu.dossiers")
    def dossiers(visit: Visit) -> Response:
        return visit.page("dossiers.html", dossiers=every(visit.firm))

    @PAGES.post("/dossiers/{number}", Role.ADMINISTRATOR)
    def change(visit: Visit) -> Response:
        ...
        visit.note("dossier.changed", number)
        return visit.done("/dossiers", "console.dossier.changed", number=number)

- A page is a plain function. It runs in a thread, so it may use SQL, files and sessions as any other code does.
- Who may open it is said where it is declared. Where anybody's documents show, say ``every_dossier=True``, or ask
  ``visit.document(id)`` and ``visit.user.sees(number)``; a page that is not this user's answers 404.
- Before a POST page runs, its origin and its form's token were checked. Each ``<form method="post">`` holds
  ``{{ token() }}``. A POST ends with :meth:`Visit.done`, which shows its sentence on the next page, or, when something
  in the form is wrong, with the same page, ``status=422`` and ``faults={field: failure}``.
- A Failure that a page does not catch becomes a calm page with the failure's sentence and code.
- Templates have ``say``, ``say_n``, ``day``, ``moment``, ``size``, ``count``, ``static``, ``token`` and ``user``; the
  macros of ``form.html`` make fields with label, help and the sentence of what is wrong. A setting's label is the text
  ``label.<name>``, its help ``setting.<name>``, and a choice's word ``choice.<name>.<value>``.
- Every page works without JavaScript, has one ``h1``, and no style or script of its own: ``console.css`` and
  ``console.js`` are all there is.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from console.visit import Visit
from dossiers.users import Role

Show = Callable[[Visit], Response]
"""What a page is: a function from a visit to a response."""

FORM = 256 * 1024
"""Bytes that a form without files may have."""


class Group(enum.StrEnum):
    """Where the menu shows a page."""

    WORK = "work"
    SETTINGS = "settings"


@dataclass(frozen=True)
class Page:
    """A page: its method and path, who may open it (None: anybody), and the largest form it takes, in bytes."""

    method: str
    path: str
    needed: Role | None
    every_dossier: bool
    largest: int
    show: Show


@dataclass(frozen=True)
class Entry:
    """An entry of the menu: the key of its word, where it leads, and who sees it."""

    word: str
    path: str
    group: Group
    page: Page


class Pages:
    """The pages of one module, in the order in which they are declared."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.entries: list[Entry] = []

    def get(
        self,
        path: str,
        needed: Role | None,
        *,
        every_dossier: bool = False,
        menu: str | None = None,
        group: Group = Group.WORK,
    ) -> Callable[[Show], Show]:
        """Declare a page that shows something; ``menu`` is the key of its word in the menu."""

        def declare(show: Show) -> Show:
            page = Page("GET", path, needed, every_dossier, 0, show)
            self.pages.append(page)
            if menu is not None:
                self.entries.append(Entry(menu, path, group, page))
            return show

        return declare

    def post(
        self, path: str, needed: Role | None, *, every_dossier: bool = False, largest: int = FORM
    ) -> Callable[[Show], Show]:
        """Declare a page that changes something; ``largest`` lets its form hold files of that many bytes together."""

        def declare(show: Show) -> Show:
            self.pages.append(Page("POST", path, needed, every_dossier, largest, show))
            return show

        return declare
