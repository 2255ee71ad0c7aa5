"""A program of its own that opens Outlook's files and locked PDFs under limits; never runs in the service's process.

``python -m mail_intake.cage KIND`` reads one file from its input and writes the files in it to its output, each after
the lengths of its name and its bytes. A code other than 0 says that it could not: memory, time, or what the file is.
"""

import io
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from dossiers.confined import Bounds, keep_to

TNEF, MSG, PDF = "tnef", "msg", "pdf"
"""What it opens: winmail.dat, a mail saved by Outlook, a PDF (which yields one nameless file unless it is locked)."""

HEAD = struct.Struct(">IQ")
BOUNDS = Bounds(memory=768 * 2**20, work=20, patience=40.0, output=2**30)


def main() -> None:
    """Open the file on the input; whatever the libraries raise on one that was made to hurt them ends this program."""
    kind = sys.argv[1]
    content = sys.stdin.buffer.read()
    opening = {TNEF: _in_winmail, MSG: _in_message, PDF: _if_open}[kind]
    keep_to(BOUNDS)
    for name, inside in opening(content):
        _write(sys.stdout.buffer, name, inside)
    sys.stdout.buffer.flush()


def _in_winmail(content: bytes) -> Iterator[tuple[str, bytes]]:
    from tnefparse import tnef

    opened = tnef.TNEF(content, do_checksum=True)
    if not all(each.good_checksum for each in opened.objects):  # cut off or changed: half a file is no file
        raise ValueError("checksum")
    yield from _in_tnef(opened)


def _in_tnef(opened: Any) -> Iterator[tuple[str, bytes]]:
    for attachment in opened.attachments:
        inner = getattr(attachment, "embed", None)
        if inner is not None and inner.attachments:
            yield from _in_tnef(inner)
        else:
            name = attachment.long_filename()
            yield name if isinstance(name, str) else name.decode("utf-8", "replace"), bytes(attachment.data)


def _in_message(content: bytes) -> Iterator[tuple[str, bytes]]:
    from aspose.email_foss.cfb import CFBReader
    from aspose.email_foss.msg import MapiMessage, MsgDocument, MsgReader

    with MsgReader(CFBReader(content)) as reader:
        yield from _attached(MapiMessage.from_msg_document(MsgDocument.from_reader(reader)))


def _attached(message: Any) -> Iterator[tuple[str, bytes]]:
    """Yield what is attached to a mail; of a mail in it, what is attached there, or else that mail."""
    for attachment in message.attachments:
        inner = attachment.embedded_message
        if inner is None:
            yield attachment.filename or "", bytes(attachment.data)
        elif inner.attachments:
            yield from _attached(inner)
        else:
            yield f"{inner.subject or ''}.eml", inner.to_email_bytes()


def _if_open(content: bytes) -> Iterator[tuple[str, bytes]]:
    from pypdf import PasswordType, PdfReader

    reader = PdfReader(io.BytesIO(content))
    if not reader.is_encrypted or reader.decrypt("") is not PasswordType.NOT_DECRYPTED:
        yield "", b""


def _write(output: BinaryIO, name: str, content: bytes) -> None:
    encoded = name.encode("utf-8", "replace")
    output.write(HEAD.pack(len(encoded), len(content)) + encoded)
    output.write(content)


if __name__ == "__main__":
    main()
