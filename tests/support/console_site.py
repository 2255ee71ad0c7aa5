"""Runs the console as its users do, and asks it as a browser would; never reaches into the console's code."""

import http.client
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path

from navette_server import NAVETTE, ROOT
from processes import end, started
from waiting import until

PASSWORD = "une phrase assez longue"

Fields = Mapping[str, str | Sequence[str]]
"""What a form says; a field may have several values."""

_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')


@dataclass(frozen=True)
class Answer:
    """What the console answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The page as text, with entities undone."""
        return unescape(self.body.decode("utf-8"))

    @property
    def place(self) -> str:
        """Where it sends on to."""
        return self.headers.get("location", "")


class Visitor:
    """A browser without a screen: keeps cookies, takes the token of the last page into each form."""

    def __init__(self, host: str, port: int, language: str = "en") -> None:
        self.host, self.port, self.language = host, port, language
        self.cookies: dict[str, str] = {}
        self._token = ""

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Open a page."""
        answer = self.ask("GET", path, headers=headers)
        found = _TOKEN.search(answer.body.decode("utf-8", "replace"))
        self._token = found[1] if found else self._token
        return answer

    def post(
        self,
        path: str,
        fields: Fields | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a form as the last page's own, and stay on the answer."""
        said = {"token": self._token, **(fields or {})}
        body = urllib.parse.urlencode(said, doseq=True).encode()
        own = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, body, {**own, **(headers or {})})

    def follow(self, path: str, fields: Fields | None = None) -> Answer:
        """Send a form and open the page it leads to."""
        answer = self.post(path, fields)
        assert answer.status == 303, (answer.status, answer.text)
        return self.get(answer.place)

    def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> Answer:
        """Sign in."""
        self.get("/login")
        return self.post("/login", {"name": name, "password": password, "code": code, "next": "/"})

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask anything."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Accept-Language": self.language, **({"Cookie": cookies} if cookies else {})}
        try:
            connection.request(method, path, body or None, {**own, **(headers or {})})
            answer = connection.getresponse()
            told = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            for line in answer.msg.get_all("set-cookie") or []:
                self._keep(SimpleCookie(line))
        finally:
            connection.close()
        return told

    def _keep(self, cookies: SimpleCookie) -> None:
        for name, morsel in cookies.items():
            self.cookies.pop(name, None)
            if morsel.value and morsel["max-age"] != "0":
                self.cookies[name] = morsel.value


class Site:
    """A running console."""

    def __init__(self, home: Path, address: str, first: str | None) -> None:
        self.home, self.address, self.first = home, address, first
        place = urllib.parse.urlsplit(address)
        assert place.hostname is not None
        assert place.port is not None
        self.host, self.port = place.hostname, place.port

    def visitor(self, language: str = "en") -> Visitor:
        """Return a browser that was never here."""
        return Visitor(self.host, self.port, language)

    def make_first(self, name: str = "anne") -> Visitor:
        """Make the administrator by the link that was printed, and return the browser that is signed in."""
        assert self.first is not None
        visitor = self.visitor()
        path = urllib.parse.urlsplit(self.first).path
        visitor.get(path)
        answer = visitor.post(path, {"name": name, "password": PASSWORD, "again": PASSWORD})
        assert answer.status == 303, answer.text
        return visitor

    def signed_in(self, name: str = "anne") -> Visitor:
        """Return another browser in which a user signed in."""
        visitor = self.visitor()
        answer = visitor.sign_in(name)
        assert answer.status == 303, answer.text
        return visitor


@contextmanager
def running_console(home: Path, *options: str) -> Iterator[Site]:
    """Run ``navette console`` on a free port."""
    log = home / "test-console.log"
    home.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    process = started([*NAVETTE, "--home", home, "console", "--port", "0", "--json", *options], log, cwd=ROOT)

    def told() -> str | None:
        assert process.poll() is None, log.read_text()
        return next((line for line in log.read_text().splitlines() if line.startswith("{")), None)

    try:
        opened = json.loads(until(told, 60, "the console to open"))
        yield Site(home, opened["address"], opened["first"])
    finally:
        assert end(process) == 0, log.read_text()
