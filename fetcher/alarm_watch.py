"""Looks for alarms every minute and tells people, in a thread of its own; never holds up a round."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from dossiers import alarms
from dossiers.alarm import Facts
from dossiers.alarm_facts import Free, all_facts, free_bytes, limits, quick_facts
from dossiers.alarms import Alarm
from dossiers.designation import telling
from dossiers.firm import Firm
from fetcher.alarm_channels import TIMEOUT, send
from fetcher.expiries import certificate_ends
from transfer.failures import Failure, TemporaryFailure

_EVERY = 60.0
_ALL_EVERY = 12 * 3600.0

Suspects = Callable[[], int | None]
"""Returns how many doubtful files wait at our own server, or None where that cannot be known."""

_log = logging.getLogger("navette.alarms")


class Watch:
    """Watches one firm; what takes long or is away is this thread's own matter."""

    def __init__(
        self,
        firm: Firm,
        *,
        suspects: Suspects = lambda: None,
        free: Free = free_bytes,
        ends: Callable[[Firm], Mapping[str, datetime | None]] = certificate_ends,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._firm = firm
        self._suspects = suspects
        self._free = free
        self._ends = ends
        self._seconds = seconds
        self._looked_at_all: float | None = None

    def look(self, stopping: Callable[[], bool] = lambda: False) -> tuple[list[Alarm], list[Alarm]]:
        """Look once, tell what is due, and return which alarms began and which ended.

        ``designation.tells_already`` while another program looks.
        """
        facts = self._facts()
        with telling(self._firm) as lease:
            begun, over = alarms.note(self._firm, lease, facts, limits(self._firm))
            for alarm in begun:
                _log.warning("%s subject=%s %s", alarm.code, alarm.subject, dict(alarm.told))
            for alarm in over:
                _log.info("%s subject=%s ended", alarm.code, alarm.subject)
            for notice in alarms.due(self._firm):
                if stopping():
                    break
                lease.keep()
                try:
                    send(self._firm, notice)
                except Failure as failure:
                    _log.warning("notice=%d %s", notice.id, failure)
                    alarms.failed(self._firm, lease, notice, failure.code)
                else:
                    alarms.sent(self._firm, lease, notice)
        return begun, over

    def _facts(self) -> Facts:
        now = self._seconds()
        if self._looked_at_all is None or now - self._looked_at_all >= _ALL_EVERY:
            facts = all_facts(self._firm, self._ends(self._firm), self._free)
            self._looked_at_all = now
        else:
            facts = quick_facts(self._firm, self._free)
        return replace(facts, suspects=self._suspects())

    def run(self, stop: threading.Event) -> None:
        """Look again and again until ``stop`` is set."""
        while not stop.is_set():
            try:
                self.look(stop.is_set)
            except TemporaryFailure as failure:  # the database is away, or another program looks
                _log.info("alarms %s", failure)
            except Exception:  # noqa: BLE001  whatever this look met, the rounds go on and the next look comes
                _log.exception("alarms.unexpected")
            stop.wait(_EVERY)


@contextmanager
def watching(firm: Firm, suspects: Suspects = lambda: None) -> Iterator[None]:
    """Watch in a thread during a ``with`` block; at its end, wait for a message under way at the most."""
    stop = threading.Event()
    thread = threading.Thread(target=Watch(firm, suspects=suspects).run, args=(stop,), name="alarms", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(TIMEOUT)
