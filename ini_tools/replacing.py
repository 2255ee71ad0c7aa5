"""Replaces a file in one step, for its owner alone: what is written here holds passwords; never leaves half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from transfer.durable import make_folder, sync_folder
from transfer.failures import PermanentFailure
from transfer.in_progress import OWN_PREFIX


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write; after the block it stands at ``path``, on stable storage, or nothing has changed there.

    The folder is made if it is missing. Refused with ``generator.not_written`` when it does not take the file.
    """
    try:
        make_folder(path.parent)
        handle, part = tempfile.mkstemp(prefix=OWN_PREFIX, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError:
        raise PermanentFailure("generator.not_written", file=path.name, folder=str(path.parent)) from None
