"""The service of the designated machine: rounds over all sources until it is told to stop; never fetches by itself."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from functools import partial
from types import FrameType

from dossiers.delivery import Reached
from dossiers.designation import running_rounds
from dossiers.firm import Firm
from dossiers.ftp_access import node_names
from dossiers.rounds import Pulse, Result, Rounds, Status
from fetcher.alarm_watch import Suspects, watching
from fetcher.batch import Told
from fetcher.round import run_round
from fetcher.sources import finish_assignments, sources, waiting
from mail_intake import round as mail_round
from transfer.failures import Failure

Report = Callable[[Status, Failure | None], None]
"""Told how each round ended, with the failure that ended it early if one did."""


def once(firm: Firm, told: Told = lambda *_: None, reached: Reached = lambda _: None) -> Result:
    """Run one round over each FTP server at once, also for files whose next attempt is not due yet.

    Raises the failure that kept files from being reached, once all servers had their turn, and ``designation.`` ones
    while another runs.
    """
    stop = threading.Event()
    failures: list[Failure] = []
    results: list[Result] = []
    with running_rounds(firm) as lease, stopped_by_signals(stop):
        finish_assignments(firm)
        asked = partial(run_round, wait=waiting(stop), stopping=stop.is_set, told=told, reached=reached, put_off=False)
        for source in node_names(firm):
            try:
                results.append(asked(firm, lease, source=source))
            except Failure as failure:
                failures.append(failure)
    if failures:
        raise failures[0]
    return Result(*map(sum, zip(*(astuple(result) for result in results), strict=True)))


def once_mail(firm: Firm, told: Told = lambda *_: None, reached: Reached = lambda _: None) -> Result:
    """Run one round over the mailbox at once, also for mails whose next attempt is not due yet; raises as ``once``."""
    stop = threading.Event()
    with running_rounds(firm) as lease, stopped_by_signals(stop):
        finish_assignments(firm)
        return mail_round.run_round(firm, lease, stopping=stop.is_set, told=told, reached=reached, put_off=False)


def serve(
    firm: Firm,
    stop: threading.Event,
    report: Report,
    *,
    told: Told = lambda *_: None,
    reached: Reached = lambda _: None,
    suspects: Suspects = lambda: None,
) -> None:
    """Run rounds and watch for alarms until ``stop`` is set; it is obeyed between two documents."""

    pulse = Pulse()
    if firm.settings.text("service.start") == "manual":  # it waits for a person's word
        firm.settings.set("service.paused", "yes")
    with running_rounds(firm) as lease, watching(firm, suspects):
        every = sources(firm, stop, pulse, told, reached)
        Rounds(firm, lease, every, wait=waiting(stop), stopping=stop.is_set, report=report, pulse=pulse).run()


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` on SIGTERM and SIGINT during a ``with`` block, in the main thread."""

    def told_to_stop(_number: int, _frame: FrameType | None) -> None:
        # Not set here: the main thread may hold the event's lock at this very moment, and would wait for itself.
        threading.Thread(target=stop.set).start()

    before = {number: signal.signal(number, told_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
