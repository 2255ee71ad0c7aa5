"""Signs in to Microsoft and Google for a mailbox and keeps what that gives, sealed; never sees a password."""

import json
import webbrowser
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msal
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import InstalledAppFlow
from oauthlib.oauth2 import OAuth2Error

from dossiers.firm import Firm
from dossiers.mailboxes import Box, keep_tokens
from transfer.failures import PermanentFailure, TemporaryFailure

_MICROSOFT = "https://login.microsoftonline.com"
_OUTLOOK = "https://outlook.office365.com"
_GOOGLE_SCOPE = "https://mail.google.com/"
_PATIENCE = 300  # seconds a person has to sign in in the browser


def current_token(firm: Firm, box: Box) -> str:
    """Return a token that is valid now, renewed without a person where it can be.

    ``login.needed``: someone must sign in (again). ``login.unreachable``: temporary.
    """
    return _google_token(firm, box) if box.login == "google" else _microsoft_token(firm, box)


def sign_in(
    firm: Firm, box: Box, show: Callable[[str, str], None], prompt: str = "{url}", in_browser: bool = False
) -> None:
    """Let a person sign in, and keep what that gives.

    ``show`` is told the address to open and the code to type there; ``prompt`` is printed with the address in it.
    Microsoft shows a code to type on any device, or opens the browser here; Google opens the browser. With a secret of
    the application's own, Microsoft asks nobody. Refused with ``login.refused``.
    """
    if box.login == "password" or not box.client:
        raise PermanentFailure("login.by_password" if box.login == "password" else "login.no_client", name=box.name)
    if box.login == "google":
        _google_sign_in(firm, box, prompt)
    elif box.client_secret:
        _microsoft_token(firm, box)
    else:
        _microsoft_sign_in(firm, box, show, in_browser)


def _microsoft_sign_in(firm: Firm, box: Box, show: Callable[[str, str], None], in_browser: bool) -> None:
    cache = _cache(firm, box)
    try:
        app = _public(box, cache)
        if in_browser:
            told = app.acquire_token_interactive(_scopes(box), login_hint=box.user, timeout=_PATIENCE)
        else:
            flow = app.initiate_device_flow(_scopes(box))
            if "user_code" not in flow:
                raise PermanentFailure("login.refused", name=box.name, why=_why(flow))
            show(flow["verification_uri"], flow["user_code"])
            told = app.acquire_token_by_device_flow(flow)
    except (requests.RequestException, ValueError, msal.BrowserInteractionTimeoutError) as error:
        raise _unreachable(box, error) from None
    if "access_token" not in told:
        raise PermanentFailure("login.refused", name=box.name, why=_why(told))
    keep_tokens(firm, box, cache.serialize())


def _microsoft_token(firm: Firm, box: Box) -> str:
    cache = _cache(firm, box)
    try:
        if box.client_secret:
            app = msal.ConfidentialClientApplication(
                box.client,
                firm.seal.open(box.client_secret),
                authority=_authority(box),
                token_cache=cache,
                **_elsewhere(box),
            )
            told = app.acquire_token_for_client([f"{_OUTLOOK}/.default"])
        else:
            public = _public(box, cache)
            accounts = public.get_accounts()
            if not accounts:
                raise PermanentFailure("login.needed", name=box.name, why="-")
            told = public.acquire_token_silent_with_error(_scopes(box), accounts[0]) or {}
    except (requests.RequestException, ValueError) as error:
        raise _unreachable(box, error) from None
    if cache.has_state_changed:
        keep_tokens(firm, box, cache.serialize())
    if "access_token" not in told:
        raise PermanentFailure("login.needed", name=box.name, why=_why(told))
    return str(told["access_token"])


def _public(box: Box, cache: msal.SerializableTokenCache) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(box.client, authority=_authority(box), token_cache=cache, **_elsewhere(box))


def _cache(firm: Firm, box: Box) -> msal.SerializableTokenCache:
    cache = msal.SerializableTokenCache()
    if box.tokens:
        cache.deserialize(firm.seal.open(box.tokens))
    return cache


def _authority(box: Box) -> str:
    return f"{box.login_server.rstrip('/') or _MICROSOFT}/{box.tenant}"


def _elsewhere(box: Box) -> dict[str, Any]:
    """Return what msal must know of a login server other than Microsoft's usual one."""
    return {"instance_discovery": False} if box.login_server else {}


def _scopes(box: Box) -> list[str]:
    return [f"{_OUTLOOK}/{'IMAP' if box.kind == 'imap' else 'POP'}.AccessAsUser.All"]


def _why(told: dict[str, Any]) -> str:
    return str(told.get("error_description") or told.get("error") or "-").splitlines()[0][:300]


def _google_client(firm: Firm, box: Box) -> dict[str, str]:
    base = box.login_server.rstrip("/")
    return {
        "client_id": box.client,
        "client_secret": firm.seal.open(box.client_secret) if box.client_secret else "",
        "auth_uri": f"{base}/auth" if base else "https://accounts.google.com/o/oauth2/v2/auth",
        "token_uri": f"{base}/token" if base else "https://oauth2.googleapis.com/token",
    }


def _google_sign_in(firm: Firm, box: Box, prompt: str) -> None:
    flow = InstalledAppFlow.from_client_config({"installed": _google_client(firm, box)}, [_GOOGLE_SCOPE])
    try:
        given = flow.run_local_server(
            host="127.0.0.1",
            port=0,
            open_browser=_has_browser(),
            authorization_prompt_message=prompt,
            success_message="Navette: OK.",
            timeout_seconds=_PATIENCE,
            access_type="offline",
            prompt="consent",
            login_hint=box.user,
        )
    except (requests.RequestException, OSError) as error:
        raise _unreachable(box, error) from None
    except (OAuth2Error, GoogleAuthError, AttributeError, ValueError) as error:  # nobody came back in time, or said no
        raise PermanentFailure("login.refused", name=box.name, why=str(error)[:300]) from None
    keep_tokens(firm, box, given.to_json())


def _google_token(firm: Firm, box: Box) -> str:
    if not box.tokens:
        raise PermanentFailure("login.needed", name=box.name, why="-")
    kept, client = json.loads(firm.seal.open(box.tokens)), _google_client(firm, box)
    given = Credentials(  # type: ignore[no-untyped-call]
        kept["token"],
        refresh_token=kept["refresh_token"],
        token_uri=client["token_uri"],
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        expiry=datetime.fromisoformat(kept["expiry"]).replace(tzinfo=None),  # in UTC, as the library wants it
    )
    if not given.valid:
        try:
            given.refresh(Request())  # type: ignore[no-untyped-call]
        except TransportError as error:
            raise _unreachable(box, error) from None
        except RefreshError as error:
            if error.retryable:
                raise _unreachable(box, error) from None
            raise PermanentFailure("login.needed", name=box.name, why=str(error.args[0])[:300]) from None
        keep_tokens(firm, box, given.to_json())  # type: ignore[no-untyped-call]
    return str(given.token)


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _unreachable(box: Box, error: Exception) -> TemporaryFailure:
    return TemporaryFailure("login.unreachable", name=box.name, why=type(error).__name__)
