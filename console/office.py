"""What all visits share: the firm, the templates, the texts, the passwords; never anything of one visitor."""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.directory import Directory
from console.preview import Previews
from console.tries import Tries
from console.words import Words
from dossiers import users
from dossiers.firm import Firm
from dossiers.users import Passwords
from transfer.language import LANGUAGES, Language

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"
_ROOMS = ("console", "dossiers", "mail_intake", "fetcher", "ini_tools", "ftp_server")


class Office:
    """The firm's console as a whole; ``secure`` says that it is reached by TLS.

    ``first_word`` opens the page that makes the first user, as long as there is none.
    """

    def __init__(self, firm: Firm, *, secure: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.firm = firm
        self.secure = secure
        self.passwords = Passwords()
        self.tries = Tries(clock)
        self.first_word = None if users.any_user(firm) else secrets.token_urlsafe(24)
        self.version = version("navette")
        self.directory = Directory(firm, clock)
        self.previews = Previews(firm.home / "firm" / "previews")
        self.texts = {code: Language(code, *_ROOMS) for code in LANGUAGES}
        self.words = {code: Words(code) for code in LANGUAGES}
        self.templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; under TLS one that no other host or path can set."""
        return "__Host-navette" if self.secure else "navette"


@cache
def static(name: str) -> str:
    """Return the address of a file of the console: a changed file has another one, so browsers may keep each."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def preferred_language(accepted: str, languages: Sequence[str] = LANGUAGES) -> str:
    """Return the first of our languages that a browser's Accept-Language names, else French."""
    weighed = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, tag[:2].lower()))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(weighed) if tag in languages), "fr")
