"""A login server over TLS that gives and renews tokens as Microsoft's and Google's do; never a real account."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from mail_server import USER
from peers import self_signed

CLIENT, TENANT = "11111111-2222-3333-4444-555555555555", "firm-tenant"


@dataclass
class LoginServer:
    """A running server; the mail server asks it about tokens (``/introspect``)."""

    url: str
    introspection: str
    authority: Path
    good: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    pending: int = 1
    """How often a device code is answered with "not yet"."""
    refuse: str = ""
    """The error that every wish for a token is answered with, if any."""
    lifetime: int = 3600
    scope: str = "https://mail.google.com/"

    @property
    def environment(self) -> dict[str, str]:
        """What programs need to trust its certificate."""
        return {"REQUESTS_CA_BUNDLE": str(self.authority)}

    def token(self) -> str:
        """Return a new token that is good."""
        token = f"token-{len(self.good)}"
        self.good.add(token)
        return token

    def answer(self, path: str, told: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Return status and answer to a request."""
        self.asked.append({"path": path, **told})
        if path.endswith("/.well-known/openid-configuration"):
            base = f"{self.url}/{TENANT}"
            return 200, {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "device_authorization_endpoint": f"{base}/devicecode",
            }
        self.scope = told.get("scope", self.scope)
        if path.endswith("/devicecode"):
            address = "https://microsoft.example/devicelogin"
            named = {"user_code": "ABCD-1234", "device_code": "device", "verification_uri": address}
            return 200, {**named, "expires_in": 60, "interval": 1, "message": "-"}
        if path.endswith("/introspect"):
            good = told.get("token", "") in self.good
            return 200, {"active": good, **({"username": USER} if good else {})}
        if self.refuse:
            return 400, {"error": self.refuse, "error_description": f"{self.refuse}: expired"}
        if told.get("grant_type", "").endswith("device_code") and self.pending:
            self.pending -= 1
            return 400, {"error": "authorization_pending"}
        given: dict[str, object] = {"access_token": self.token(), "token_type": "Bearer", "expires_in": self.lifetime}
        if told.get("grant_type") != "client_credentials":
            given |= {"refresh_token": "renewal", "scope": self.scope}
            given |= {"client_info": _packed({"uid": "u", "utid": "t"}), "id_token": self._identity()}
        return 200, given

    def _identity(self) -> str:
        body = {"iss": f"{self.url}/{TENANT}/v2.0", "sub": "s", "aud": CLIENT, "preferred_username": USER}
        return ".".join(map(_packed, [{"alg": "none"}, body | {"exp": 4_000_000_000, "iat": 1}])) + "."


def _packed(told: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


@contextmanager
def login_server(folder: Path) -> Iterator[LoginServer]:
    """Run a login server for a ``with`` block, with the questions of the mail server on a plain port of its own."""
    authority = folder / "login.pem"
    self_signed(authority)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            told = {key: values[0] for key, values in parse_qs(split.query).items()}
            if split.path.endswith(("/auth", "/authorize")):  # the browser: someone signs in and is sent back
                back = {"state": told["state"], **({"error": "access_denied"} if running.refuse else {"code": "c"})}
                self.send_response(302)
                self.send_header("Location", f"{told['redirect_uri']}?{urlencode(back)}")
                self.end_headers()
                return
            self._say(*running.answer(split.path, told))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(*running.answer(self.path, {key: values[0] for key, values in parse_qs(body).items()}))

        def _say(self, status: int, told: dict[str, object]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    secure, plain = (ThreadingHTTPServer(("127.0.0.1", 0), Answers) for _ in range(2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    url = f"https://localhost:{secure.server_address[1]}"
    running = LoginServer(url, f"http://127.0.0.1:{plain.server_address[1]}/introspect", authority)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in (secure, plain)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        for server, thread in zip((secure, plain), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
