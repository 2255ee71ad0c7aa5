"""One request: who asks, in which language, with which form, and the ways to answer; never decides who may."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console.form import Form, whole_number
from console.office import Office, static
from dossiers import deeds, journal, waiting_list
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.user_sessions import Session
from dossiers.users import Role, User
from transfer.failures import Failure, PermanentFailure
from transfer.language import Language
from transfer.setting import Setting

NOTICE, VISITOR, SPOKEN = "navette-notice", "navette-visitor", "navette-language"
"""Cookies: a sentence for the next page; a visitor who has not signed in; the language of such a visitor."""

_SECONDS_OF_NOTICE = 60
_KEY = re.compile("console[.][a-z_.]{1,60}")


@dataclass
class Visit:
    """A request as a page sees it; ``places`` are the parts of the address that vary, ``query`` what follows its ``?``.

    ``word`` is the session's word, or the visitor's before they sign in: forms carry a token made from it.
    """

    office: Office
    path: str
    places: Mapping[str, str]
    query: Form
    form: Form
    address: str
    browser: str
    language: Language
    word: str
    signed_in: tuple[Session, User] | None
    menu: Sequence[Any] = ()
    notice: Mapping[str, Any] | None = None
    cookies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def firm(self) -> Firm:
        """The firm."""
        return self.office.firm

    @property
    def user(self) -> User:
        """Who asks; only on pages that need a role."""
        assert self.signed_in is not None
        return self.signed_in[1]

    @property
    def token(self) -> str:
        """What each form of this visitor carries, and no other site can know."""
        return hmac.digest(self.word.encode(), b"form", hashlib.sha256).hex()

    @property
    def back(self) -> str:
        """The address of this page; the first one where this is the answer to a form."""
        return "/" if self.form else self.path

    def place(self, name: str) -> int:
        """Return the number in the address, or answer 404."""
        number = whole_number(self.places[name])
        if number is None:
            raise PermanentFailure("console.no_page")
        return number

    def document(self, number: int | None = None) -> Document:
        """Return the document that the address (or ``number``) names, if this user may see it; else answer 404."""
        found = journal.document(self.firm, self.place("document") if number is None else number)
        if not self.user.sees(found.dossier):
            raise PermanentFailure("console.no_document")
        return found

    def may(self, needed: Role) -> bool:
        """Tell whether this user has at least that role."""
        return self.signed_in is not None and self.user.role.may(needed)

    def note(self, deed: str, subject: object = "") -> None:
        """Keep that this user did something; its sentence is the text ``deed.<deed>``."""
        deeds.note(self.firm, self.user.name, self.address, deed, str(subject))

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Answer with a page; ``faults`` maps fields to the failures that are shown beside them."""
        shown = self.office.templates.get_template(template).render(self._shared() | values)
        response = HTMLResponse(shown, status)
        if self.notice is not None:
            response.delete_cookie(NOTICE)
        return self._with_cookies(response)

    def done(self, path: str, key: str, undo: Mapping[str, Any] | None = None, **values: object) -> Response:
        """Go to another page and say there what was done; ``undo`` offers to take it back (for the page to read)."""
        said = {"key": key, "values": {name: str(value) for name, value in values.items()}, "undo": undo}
        self._set(NOTICE, base64.urlsafe_b64encode(json.dumps(said).encode()).decode(), max_age=_SECONDS_OF_NOTICE)
        return self.go(path)

    def go(self, path: str) -> Response:
        """Go to another page of the console."""
        return self._with_cookies(RedirectResponse(path, 303))

    def keep(self, name: str, value: str, **options: Any) -> None:
        """Let the browser keep a cookie that no script and no other site sees."""
        self._set(name, value, **options)

    def _set(self, name: str, value: str, **options: Any) -> None:
        strict = {"httponly": True, "samesite": "lax", "secure": self.office.secure, "path": "/"}
        self.cookies.append({"key": name, "value": value, **strict, **options})

    def _with_cookies(self, response: Response) -> Response:
        for cookie in self.cookies:
            response.set_cookie(**cookie)
        return response

    def _shared(self) -> dict[str, Any]:
        say, words = self.language.say, self.office.words[self.language.code]
        waiting = waiting_list.count(self.firm) if self.signed_in and self.user.every_dossier else 0
        return {
            "visit": self,
            "user": self.signed_in and self.signed_in[1],
            "spoken": self.language.code,
            "say": say,
            "say_n": self.language.say_n,
            "label": lambda setting: say(f"label.{_name(setting)}"),
            "help": lambda setting: say(f"setting.{_name(setting)}"),
            "choice": lambda setting, values: [(value, say(f"choice.{_name(setting)}.{value}")) for value in values],
            "moment": words.moment,
            "day": words.day,
            "count": words.count,
            "size": words.size,
            "ago": lambda moment: words.ago(moment, self.firm.clock()),
            "static": static,
            "token": lambda: Markup('<input type="hidden" name="token" value="{}">').format(self.token),
            "fault": lambda failure: sentence(self.language, failure),
            "waiting": waiting,
            "version": self.office.version,
            "faults": {},
        }


def sentence(language: Language, failure: Failure) -> Markup:
    """Return the sentence of a failure with its code set apart."""
    said = escape(language.say(failure.code, **failure.values))
    return said + Markup(' <code class="code">{}</code>').format(failure.code)


def read_notice(cookie: str | None) -> Mapping[str, Any] | None:
    """Return what the page before wanted to be said, or None; anything else that the cookie may hold is ignored."""
    try:
        said = json.loads(base64.urlsafe_b64decode((cookie or "").encode()))
    except ValueError:
        return None
    right = isinstance(said, dict) and _KEY.fullmatch(str(said.get("key"))) and isinstance(said.get("values"), dict)
    return said if right else None


def _name(setting: Setting | str) -> str:
    return setting.name if isinstance(setting, Setting) else setting
