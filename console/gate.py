"""Decides who comes in: where a request may come from, who may open which page; never shows one."""

import hmac
import ipaddress
import socket
from collections.abc import Collection, Mapping

from console.page import Page
from dossiers.users import User
from transfer.failures import PermanentFailure

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'"
)
"""What a page of the console may load: nothing but its own; ``data:`` is for the arrows that Pico draws."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""Headers of every answer that does not bring its own."""


def check_host(host: str, names: Collection[str]) -> None:
    """Refuse a request for a name that is not ours (``console.unknown_host``): a foreign page may have made it up.

    A number is nobody's name, so it is always right.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        if name.lower() not in names:
            raise PermanentFailure("console.unknown_host", host=name[:80]) from None


def own_names(host: str, named: str) -> frozenset[str]:
    """Return the names under which this console may be asked for: the machine's, and those of the settings."""
    machine = socket.gethostname().lower()
    return frozenset({"localhost", machine, host.lower(), *named.lower().replace(",", " ").split()})


def check_origin(headers: Mapping[str, str], scheme: str) -> None:
    """Refuse a form that another site sent (``console.foreign``), by what the browser says of where it comes from."""
    fetched = headers.get("sec-fetch-site")
    if fetched is not None:
        right = fetched == "same-origin"
    else:
        right = headers.get("origin") == f"{scheme}://{headers.get('host')}"
    if not right:
        raise PermanentFailure("console.foreign")


def check_token(given: str, right: str) -> None:
    """Refuse a form without the token of its session (``console.old_form``)."""
    if not hmac.compare_digest(given.encode(), right.encode()):
        raise PermanentFailure("console.old_form")


def may_open(page: Page, user: User) -> bool:
    """Tell whether a user may open a page."""
    return (page.needed is None or user.role.may(page.needed)) and (user.every_dossier or not page.every_dossier)


def local_path(path: str) -> str:
    """Return a path of the console to go on to after signing in; anything that leads elsewhere becomes the first."""
    right = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if right else "/"
