"""Tells what the bytes of a part are: which kind of file, locked with a password or not; never unpacks anything."""

import re

SIGNATURE_KINDS = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
        "application/pgp-encrypted",
        "text/vcard",
        "text/x-vcard",
        "text/directory",
    }
)
"""Signatures, keys and business cards: they belong to the mail, not to the accounts."""

INVITATION_KINDS = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
"""Meetings."""

REPORT_KINDS = frozenset(
    {
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "message/global-delivery-status",
        "text/rfc822-headers",
    }
)
"""What mail servers say about a mail."""

SEALED_KINDS = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
"""Mails that are encrypted, or wrapped into their signature, as a whole."""

MESSAGE_KINDS = frozenset({"message/rfc822", "message/global", "message/news"})
"""Mails inside a mail."""

CLUTTER_KINDS = frozenset({"application/applefile"})
"""What some systems keep beside a file, of no use anywhere else."""

_MAGIC = (
    (b"%PDF-", ".pdf"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"PK\x03\x04", ".zip"),
    (b"<?xml", ".xml"),
    (b"\xef\xbb\xbf<?xml", ".xml"),
    (b"\x78\x9f\x3e\x22", ".tnef"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".ole"),
)
_BY_KIND = {
    "message/rfc822": ".eml",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
}
_LOCKED_PDF = re.compile(rb"/Encrypt\s*(?:<<|\d+\s+\d+\s+R)")
_OFFICE = (b"[Content_Types].xml", b"mimetype", b"META-INF/")


def sniffed(content: bytes) -> str:
    """Return the extension that the first bytes call for, ``.tnef`` and ``.ole`` for Outlook's; empty if unknown."""
    start = content[:16]
    for magic, extension in _MAGIC:
        if start.startswith(magic):
            return extension
    return ".pdf" if b"%PDF-" in content[:1024] else ""


def extension_for(kind: str, content: bytes) -> str:
    """Return the extension of a file that came without a name."""
    found = sniffed(content)
    return found if found not in {"", ".ole", ".tnef"} else _BY_KIND.get(kind, ".bin")


def is_zip(name: str, kind: str, content: bytes) -> bool:
    """Tell whether a file is an archive to be unpacked, and not a document that happens to be stored as one."""
    called = name.lower().endswith(".zip") or kind in {"application/zip", "application/x-zip-compressed"}
    return called and sniffed(content) == ".zip" and not content.startswith(_OFFICE, 30)


def is_winmail(name: str, kind: str, content: bytes) -> bool:
    """Tell whether a file is Outlook's own wrapping of attachments."""
    called = name.lower() == "winmail.dat" or kind in {"application/ms-tnef", "application/vnd.ms-tnef"}
    return called or sniffed(content) == ".tnef"


def is_outlook_message(name: str, kind: str, content: bytes) -> bool:
    """Tell whether a file is a mail that was saved by Outlook."""
    called = name.lower().endswith(".msg") or kind == "application/vnd.ms-outlook"
    return called and sniffed(content) == ".ole"


def may_be_locked(content: bytes) -> bool:
    """Tell whether a PDF says that it is encrypted, which many do that open without a password."""
    return sniffed(content) == ".pdf" and _LOCKED_PDF.search(content) is not None
