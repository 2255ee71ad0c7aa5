"""Sets up the readable log of a program on its standard error; never writes a password: nobody passes one on."""

import logging
import sys
import time


class _Formatter(logging.Formatter):
    """Writes out each second once: many lines of a busy server share it."""

    _second = (0, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return the local time of a record, to the millisecond."""
        del datefmt
        second, text = self._second
        if second != int(record.created):
            second = int(record.created)
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
            self._second = (second, text)
        return f"{text},{int(record.msecs):03d}"


def start_log() -> None:
    """Write one line per event, with its time and level; libraries speak only when something is wrong."""
    logging._srcfile = None  # who called is never shown, and finding it out takes time
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for library in ("pyftpdlib", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
