"""Sends an alarm's message by SMTP or to a webhook, over verified TLS; never follows a redirect, never tries twice.

A password or a webhook's address, which is as good as one, goes over TLS only; a webhook on this very machine may be
reached without.
"""

import contextlib
import http.client
import ipaddress
import json
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import SplitResult, urlsplit

from dossiers.alarms import RAISED, Notice
from dossiers.firm import Firm
from dossiers.settings import PASSWORDS_UNTIL
from transfer.failures import PermanentFailure, TemporaryFailure
from transfer.language import Language

TIMEOUT = 15.0
"""Seconds without an answer after which a server counts as gone."""


def send(firm: Firm, notice: Notice) -> None:
    """Send one notice on its channel; raises a failure with an ``alarm.`` code when it did not get there."""
    _BY_CHANNEL[notice.channel](firm, notice)


def sentence(language: Language, notice: Notice) -> str:
    """Return in words what a notice has to say."""
    return language.say(notice.alarm.code, subject=_subject(language, notice), **notice.alarm.told)


def _subject(language: Language, notice: Notice) -> str:
    """Return what an alarm is about; a password is named by what its setting is for."""
    setting, _, mailbox = notice.alarm.subject.partition(" ")
    known = setting in PASSWORDS_UNTIL
    return language.say(f"alarm.subject.{setting}", mailbox=mailbox) if known else notice.alarm.subject


def _mail(firm: Firm, notice: Notice) -> None:
    settings = firm.settings
    message = _message(firm, notice)
    host, port = settings.text("alarms.smtp_host"), settings.number("alarms.smtp_port")
    security, user = settings.text("alarms.smtp_security"), settings.text("alarms.smtp_user")
    if not host or not message["From"]:
        raise PermanentFailure("alarm.missing", name="alarms.mail_from" if host else "alarms.smtp_host")
    if user and security == "none":
        raise PermanentFailure("alarm.password_in_clear")
    with _failures(host, port):
        if security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=_context(firm))
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT)
        with server:
            if security == "starttls":
                server.starttls(context=_context(firm))
            if user:
                server.login(user, settings.text("alarms.smtp_password"))
            server.send_message(message)


def _message(firm: Firm, notice: Notice) -> EmailMessage:
    language = Language(firm.settings.text("fiduciary.language"), "fetcher")
    message = EmailMessage()
    message["From"] = firm.settings.text("alarms.mail_from")
    message["To"] = firm.settings.text("alarms.mail_to")
    message["Subject"] = language.say(f"alarm.title.{notice.event}", what=language.say(f"{notice.alarm.code}.name"))
    message["Date"] = format_datetime(firm.clock())
    message["Message-ID"] = make_msgid(domain="navette.invalid")
    message["Auto-Submitted"] = "auto-generated"
    lines = [sentence(language, notice)]
    if notice.event != RAISED:
        lines.insert(0, language.say("alarm.is_over"))
    lines.append(
        language.say("alarm.from", firm=firm.settings.text("fiduciary.name") or "Navette", machine=firm.machine)
    )
    message.set_content("\n\n".join(lines) + "\n")
    return message


def _webhook(firm: Firm, notice: Notice) -> None:
    at = urlsplit(firm.settings.text("alarms.webhook"))
    if at.scheme not in {"https", "http"} or not at.hostname:
        raise PermanentFailure("alarm.bad_webhook")
    if at.scheme == "http" and not _is_here(at.hostname):
        raise PermanentFailure("alarm.password_in_clear")
    body = json.dumps(_facts(firm, notice), ensure_ascii=False).encode()
    port = at.port or (443 if at.scheme == "https" else 80)
    with _failures(at.hostname, port):
        connection = _connection(firm, at, port)
        with contextlib.closing(connection):
            path = f"{at.path or '/'}?{at.query}" if at.query else at.path or "/"
            connection.request("POST", path, body, {"Content-Type": "application/json; charset=utf-8"})
            with connection.getresponse() as answer:
                if not 200 <= answer.status < 300:  # a redirect too: it could lead anywhere
                    raise TemporaryFailure("alarm.webhook_refused", host=at.hostname, status=answer.status)


def _connection(firm: Firm, at: SplitResult, port: int) -> http.client.HTTPConnection:
    assert at.hostname is not None
    if at.scheme == "https":
        return http.client.HTTPSConnection(at.hostname, port, timeout=TIMEOUT, context=_context(firm))
    return http.client.HTTPConnection(at.hostname, port, timeout=TIMEOUT)


def _facts(firm: Firm, notice: Notice) -> dict[str, object]:
    alarm = notice.alarm
    language = Language(firm.settings.text("fiduciary.language"), "fetcher")
    return {
        "event": notice.event,
        "alarm": alarm.id,
        "kind": alarm.kind.value,
        "subject": alarm.subject,
        "told": dict(alarm.told),
        "text": sentence(language, notice),
        "since": alarm.since.isoformat(),
        "ended": alarm.ended.isoformat() if alarm.ended else None,
        "fiduciary": firm.settings.text("fiduciary.number"),
        "machine": firm.machine,
    }


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _context(firm: Firm) -> ssl.SSLContext:
    named = firm.settings.text("alarms.authority")
    try:
        return ssl.create_default_context(cafile=named or None)
    except OSError:
        raise PermanentFailure("alarm.no_authority", file=named) from None


@contextlib.contextmanager
def _failures(host: str, port: int) -> Iterator[None]:
    """Turn what the network and the server do into ``alarm.`` failures, without what was sent."""
    where: dict[str, str | int] = {"host": host, "port": port}
    try:
        yield
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", None) or error.reason or ""
        raise PermanentFailure("alarm.no_tls", why=why, **where) from None
    except smtplib.SMTPAuthenticationError:
        raise PermanentFailure("alarm.login_refused", **where) from None
    except smtplib.SMTPServerDisconnected:
        raise TemporaryFailure("alarm.unreachable", **where) from None
    except (smtplib.SMTPException, http.client.HTTPException, ValueError) as error:
        # told by its kind alone: its text may repeat an address or what the server said of a password
        raise TemporaryFailure("alarm.refused", why=type(error).__name__, **where) from None
    except OSError:
        raise TemporaryFailure("alarm.unreachable", **where) from None


_BY_CHANNEL: Mapping[str, Callable[[Firm, Notice], None]] = {"mail": _mail, "webhook": _webhook}
