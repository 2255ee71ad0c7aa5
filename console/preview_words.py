"""Reads what is shown as words: texts, e-mails, electronic invoices; meant for the preview's own program.

Never shows a web page: the marks of one are left out, and nothing is loaded from anywhere.
"""

from dataclasses import asdict
from typing import Any

from dossiers import invoice
from mail_intake.header import Header, in_charset
from mail_intake.message import read
from transfer.failures import PermanentFailure

LARGEST = 100 * 2**20
_MOST_FILES = 200
_MAIL_FIELDS = (
    b"from:",
    b"received:",
    b"return-path:",
    b"delivered-to:",
    b"message-id:",
    b"subject:",
    b"date:",
    b"to:",
)
_XML = (b"<?xml", b"\xef\xbb\xbf<?xml", b"<Invoice", b"<CreditNote")
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTROLS = {*range(32), 127} - {*b"\t\n\r\f\x1b"}


def facts(content: bytes, longest: int) -> dict[str, Any]:
    """Return what is known of a file that has no pages; ``preview.no_view`` when people cannot read it as words."""
    if len(content) > LARGEST:
        raise PermanentFailure("preview.too_large")
    if content.lstrip()[:12].startswith(_XML):
        return _xml(content, longest)
    if is_mail(content):
        return _mail(content, longest)
    text = _text(content, longest)
    return {"kind": "text", "shown": text, "text": text}


def is_mail(content: bytes) -> bool:
    """Tell by the start of a file whether it is a stored e-mail."""
    if not content[:4096].lstrip().lower().startswith(_MAIL_FIELDS):
        return False
    header = Header(content[: 256 * 1024])
    return bool(header.count("from") and (header.count("subject") or header.count("date")))


def _xml(content: bytes, longest: int) -> dict[str, Any]:
    found = invoice.read(content)
    if found is None:
        text = _text(content, longest)
        return {"kind": "text", "shown": text, "text": text}
    parties = [f"{party.name} {' '.join(party.numbers)}" for party in (found.supplier, found.customer)]
    words = [found.number, *parties, found.reference, *(line.text for line in found.lines)]
    return {"kind": "invoice", "invoice": asdict(found), "text": "\n".join(words)[:longest]}


def _mail(content: bytes, longest: int) -> dict[str, Any]:
    message, header = read(content), Header(content)
    body = message.mail.body[:longest]
    files = [{"name": part.name, "size": len(part.content)} for part in message.parts[:_MOST_FILES]]
    head = {field: header.text(field)[:500] for field in ("from", "to", "cc", "date", "subject")}
    names = " ".join(file["name"] for file in files if isinstance(file["name"], str))
    text = f"{head['subject']}\n{names}\n{body}"[:longest]
    return {"kind": "mail", "mail": head | {"files": files}, "shown": body, "text": text}


def _text(content: bytes, longest: int) -> str:
    """Return the start of a text in whatever charset it is; refuse what holds bytes that no text has."""
    start = content[: 4 * longest]
    charset = next((charset for bom, charset in _BOMS.items() if start.startswith(bom)), None)
    if charset == "utf-16" and len(start) % 2:
        start = start[:-1]
    if charset is None and _CONTROLS.intersection(start):
        raise PermanentFailure("preview.no_view")
    if charset is None and len(content) > len(start):
        start = start[: start.rfind(b"\n") + 1] or start  # a letter of several bytes is not cut in two
    return in_charset(start, charset).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")[:longest]
