"""Replaces a small file of the server's own: who reads it sees the old one or the new one whole; never a document."""

import os
from pathlib import Path

from ftp_server.home import give_to_owner
from transfer.durable import sync_folder


def replace_file(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Put ``content`` in the place of a file, or where there is none; ``durable``: on stable storage once it returns.

    Raises OSError; the old file is then still there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        give_to_owner(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)
