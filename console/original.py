"""Hands out a document's own bytes, to the browser's viewer where that is harmless; never by a path in an address."""

from pathlib import Path

from starlette.responses import FileResponse, Response

from dossiers.document import Document
from dossiers.moving import AT_REST
from transfer.failures import PermanentFailure

_HEAD = 16
_VIEWED = ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""What a browser shows without running anything of the page's: told by the first bytes, never by the name."""


def response(document: Document, download: bool) -> Response:
    """Return the bytes of a document at rest; ``console.no_bytes`` when they are not where they were put."""
    path = found(document)
    kind = None if download else viewed_as(path)
    name = document.placed or document.name
    disposition = "inline" if kind else "attachment"
    return FileResponse(
        path, media_type=kind or "application/octet-stream", filename=name, content_disposition_type=disposition
    )


def found(document: Document) -> Path:
    """Return where the bytes of a document are."""
    if document.state not in AT_REST or not document.final.is_file():
        raise PermanentFailure("console.no_bytes")
    return document.final


def viewed_as(path: Path) -> str | None:
    """Return the media type under which a browser's viewer may open a file, or None."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return next((kind for start, kind in _VIEWED if head.startswith(start)), None)
