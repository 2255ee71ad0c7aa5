"""Reads a raw message: what rules look at, and every file in it with what is to become of it; never drops one unsaid.

Each file is a document, or held (it waits for a person whatever the rules say, unless they exclude it), or left out: a
logo, a signature, an invitation, or what only wraps the files that are offered instead.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mail_intake import kinds
from mail_intake.addresses import addresses
from mail_intake.decoding import decoded, uuencoded
from mail_intake.header import Header, in_charset, parameter
from mail_intake.part import Fate, Part, file_name
from mail_intake.rules import Mail
from mail_intake.splitting import Leaf, TooManyPartsError, leaves
from mail_intake.unpacking import DEEPEST, Unpacking
from transfer.safe_names import safe_name

LARGEST_LOGO = 64 * 1024
"""A picture inside the text that is no larger is taken for a logo; a larger one may be a photographed receipt."""

_LONGEST_BODY = 64 * 1024
_RECIPIENTS = ("to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to", "resent-to")
_LINK = re.compile(r"https?://[^\s<>\"']{4,2000}", re.IGNORECASE)
_MEANS_INVOICE = re.compile(
    r"factu|invoice|rechnung|rekening|kwitantie|re[cç]u\b|receipt|document|download|t[eé]l[eé]charg|"
    r"wetransfer|we\.tl|dropbox|1drv|onedrive|sharepoint|drive\.google|docs\.google|icloud|billit|doccle|zoomit",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Message:
    """What was read: the facts for the rules, the Message-ID (which can be missing, forged or repeated), all files."""

    mail: Mail
    message_id: str
    parts: tuple[Part, ...]

    @property
    def offered(self) -> list[Part]:
        """The files that go to a dossier or wait."""
        return [part for part in self.parts if part.fate is not Fate.LEFT_OUT]


def read(raw: bytes) -> Message:
    """Read a message, however damaged; nothing in it is refused."""
    header = Header(raw)
    reading = _Reading(raw, Unpacking())
    parts = reading.parts("", 0)
    subject = header.text("subject")
    if not any(part.fate is not Fate.LEFT_OUT for part in parts) and _only_links(reading.body):
        parts.append(Part("0", safe_name(f"{subject or 'mail'}.eml"), Fate.HELD, "waiting.link", raw))
    senders = [address for value in header.every("from") for address in addresses(value)]
    recipients = [address for name in _RECIPIENTS for value in header.every(name) for address in addresses(value)]
    sender = senders[0] if len(set(senders)) == 1 else ""
    facts = Mail(sender, subject, tuple(dict.fromkeys(recipients)), reading.body[:_LONGEST_BODY])
    return Message(facts, header.raw("message-id").strip(), tuple(parts))


class _Reading:
    """One message being read, the outer one or one inside it."""

    def __init__(self, raw: bytes, unpacking: Unpacking) -> None:
        self._raw = raw
        self._unpacking = unpacking
        self._plain = ""
        self._html = ""

    @property
    def body(self) -> str:
        """The text a person reads, without marks."""
        return self._plain.strip() or _without_marks(self._html)

    def parts(self, prefix: str, depth: int) -> list[Part]:
        """Return all files; a message that is no honest one is held as a whole."""
        found: list[Part] = []
        try:
            for leaf in leaves(self._raw):
                found += self._of_leaf(leaf, f"{prefix}{leaf.path}", depth)
        except TooManyPartsError:
            return [Part(f"{prefix}0", "mail.eml", Fate.HELD, "waiting.too_many_parts", self._raw)]
        return found

    def _of_leaf(self, leaf: Leaf, path: str, depth: int) -> Iterator[Part]:
        header = leaf.header
        content = decoded(self._raw[leaf.start : leaf.end], header.encoding)
        kind = header.kind
        if "multipart/report" in leaf.within and (kind in kinds.REPORT_KINDS or kind in kinds.MESSAGE_KINDS):
            yield _part(path, header, content, Fate.LEFT_OUT, "mail.report")
        elif kind in kinds.MESSAGE_KINDS or _is_attached_mail(header, content):
            yield from self._of_message(path, header, content, depth)
        elif self._is_body(leaf):
            yield from self._take_body(path, header, content)
        elif (reason := _left_out(leaf, content)) is not None:
            yield _part(path, header, content, Fate.LEFT_OUT, reason)
        elif (reason := _held(leaf, content)) is not None:
            yield _part(path, header, content, Fate.HELD, reason)
        else:
            yield from self._unpacking.opened(_part(path, header, content, Fate.DOCUMENT, None), kind, depth)

    def _is_body(self, leaf: Leaf) -> bool:
        header = leaf.header
        texts = {"text/plain", "text/html", "text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html"}
        unread = header.kind.startswith("multipart/")  # one without any part: its text is all there is
        return (header.kind in texts or unread) and not header.file_name and header.disposition != "attachment"

    def _take_body(self, path: str, header: Header, content: bytes) -> Iterator[Part]:
        for number, (name, file) in enumerate(uuencoded(content), 1):
            yield from self._unpacking.opened(Part(f"{path}.u{number}", safe_name(name), Fate.DOCUMENT, None, file))
        charset = parameter(header.raw("content-type"), "charset") or None
        text = in_charset(content[: 4 * _LONGEST_BODY], charset)
        if header.kind == "text/html":
            self._html += text
        else:
            self._plain += text

    def _of_message(self, path: str, header: Header, content: bytes, depth: int) -> Iterator[Part]:
        """Yield the files of a mail inside the mail, and that mail: itself a document only where it holds none."""
        inner = Header(content)
        name = safe_name(header.file_name or f"{inner.text('subject') or 'mail'}.eml")
        if depth >= DEEPEST or not content:
            yield Part(path, name, Fate.HELD, "waiting.too_deep" if content else "waiting.empty", content)
            return
        found = _Reading(content, self._unpacking).parts(f"{path}/", depth + 1)
        if any(part.fate is not Fate.LEFT_OUT for part in found):
            yield Part(path, name, Fate.LEFT_OUT, "mail.forwarded", content)
        else:
            yield Part(path, name, Fate.DOCUMENT, None, content)
        yield from found


def _is_attached_mail(header: Header, content: bytes) -> bool:
    """Tell whether a file is a mail that a program has attached as any other file."""
    if not header.file_name.lower().endswith(".eml"):
        return False
    inner = Header(content[: 64 * 1024])
    return bool(inner.count("from") and (inner.count("subject") or inner.count("date")))


def _left_out(leaf: Leaf, content: bytes) -> str | None:
    """Return why a file is no document of the firm's, or None."""
    header = leaf.header
    name = header.file_name.lower()
    if header.kind in kinds.INVITATION_KINDS or name.endswith(".ics"):
        return "mail.invitation"
    if header.kind in kinds.SIGNATURE_KINDS or name in {"smime.p7s", "signature.asc"}:
        return "mail.signature"
    if header.kind in kinds.REPORT_KINDS:
        return "mail.report"
    if header.kind in kinds.CLUTTER_KINDS:
        return "mail.clutter"
    return "mail.logo" if _is_inside_text(leaf) and 0 < len(content) <= LARGEST_LOGO else None


def _is_inside_text(leaf: Leaf) -> bool:
    header = leaf.header
    inside = bool(header.raw("content-id").strip()) and "multipart/related" in leaf.within
    return inside and header.kind.startswith("image/") and header.disposition != "attachment"


def _held(leaf: Leaf, content: bytes) -> str | None:
    """Return why a person must look at a file, or None."""
    header = leaf.header
    if header.kind == "message/partial":
        return "waiting.partial"
    if header.kind == "message/external-body":
        return "waiting.link"
    if header.kind in kinds.SEALED_KINDS or "multipart/encrypted" in leaf.within:
        return "waiting.encrypted"
    if not content:
        return "waiting.empty"
    if _is_inside_text(leaf):
        return "waiting.picture"
    return None if header.file_name or kinds.is_winmail("", header.kind, content) else "waiting.nameless"


def _part(path: str, header: Header, content: bytes, fate: Fate, reason: str | None) -> Part:
    return Part(path, file_name(header.file_name, header.kind, content), fate, reason, content)


def _only_links(body: str) -> bool:
    """Tell whether a mail without files seems to point to where they can be had."""
    return bool(_LINK.search(body)) and bool(_MEANS_INVOICE.search(body))


def _without_marks(marked: str) -> str:
    """Return the text of an HTML page, and where its links lead."""
    marked = re.sub(r"(?is)<(script|style|head)\b.*?(</\1\s*>|$)", " ", marked[: 4 * _LONGEST_BODY])
    marked = re.sub(r"(?i)<a\b[^<>]{0,500}?href\s*=\s*[\"']?(https?://[^\s\"'>]{1,2000})[^<>]{0,500}>", r" \1 ", marked)
    return html.unescape(re.sub(r"<[^<>]*>", " ", marked))
