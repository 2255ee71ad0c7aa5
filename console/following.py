"""Keeps the search up to date while the console runs, in a thread of its own; never holds up a visit."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta

from console.original import found
from console.preview import Previews
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.search import follow
from transfer.failures import Failure

_PAUSE = 10.0  # seconds between two looks at the journal
_YOUNG = timedelta(days=60)
"""Older documents are found by name and sender only: their text is not read any more."""

_log = logging.getLogger("navette.console")


@contextlib.contextmanager
def following(firm: Firm, previews: Previews) -> Iterator[None]:
    """Follow the journal during a ``with`` block."""
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(firm, previews, stop), name="search")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(firm: Firm, previews: Previews, stop: threading.Event) -> None:
    def text_of(document: Document) -> str:
        if document.sha256 is not None and firm.clock() - document.found < _YOUNG:
            with contextlib.suppress(Failure):
                return previews.look(document.sha256, found(document)).text
        return ""

    while not stop.is_set():
        try:
            more = follow(firm, text_of, most=20)
        except Failure as failure:  # the database was away, or another console follows at this moment
            _log.warning("search %s", failure)
            more = 0
        if not more:
            stop.wait(_PAUSE)
