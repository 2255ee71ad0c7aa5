"""Sets up the readable log of a program on its standard error; never writes a password: nobody passes one on."""

import logging
import sys


def start_log() -> None:
    """Write one line per event, with its time and level; libraries speak only when something is wrong."""
    logging._srcfile = None  # who called is never shown, and finding it out takes time
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
    for library in ("pyftpdlib", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
