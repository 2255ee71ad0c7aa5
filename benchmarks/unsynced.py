"""Runs ``navette`` with the syncing of files and folders taken out, to be compared with servers that never sync.

What it answers 226 to may be lost: it is no part of Navette, which has no such switch, and it is not installed with it.
The database still syncs its own commits, which no sender waits for.
"""

import os
import sys

from navette.cli import main


def _not_synced(descriptor: int) -> None:
    """Do nothing, in the place of ``os.fsync``."""


if __name__ == "__main__":
    os.fsync = _not_synced  # type: ignore[assignment]
    sys.exit(main())
