"""The service of the designated machine: rounds over all sources until it is told to stop; never fetches by itself."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from functools import partial
from types import FrameType

from dossiers import mailboxes
from dossiers.delivery import Reached
from dossiers.designation import LOST, Lease, running_rounds
from dossiers.firm import Firm
from dossiers.ftp_access import node_names
from dossiers.mailboxes import Box
from dossiers.mails import Met
from dossiers.rounds import Pulse, Result, Rounds, Source, Status
from fetcher.alarm_watch import Suspects, watching
from fetcher.batch import Told
from fetcher.round import run_round
from fetcher.sources import MAIL_SWITCH, finish_assignments, restore, sources, waiting
from mail_intake import round as mail_round
from mail_intake.restoring import restore_asked
from mail_intake.watching import Watchers
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
        _finish_what_was_asked(firm, lease, told, reached)
        asked = partial(run_round, wait=waiting(stop), stopping=stop.is_set, told=told, reached=reached, put_off=False)
        for source in node_names(firm):
            try:
                results.append(asked(firm, lease, source=source))
            except Failure as failure:
                failures.append(failure)
    if failures:
        raise failures[0]
    return Result(*map(sum, zip(*(astuple(result) for result in results), strict=True)))


def once_mail(
    firm: Firm, boxes: Sequence[Box], report: Report, told: Told = lambda *_: None, reached: Reached = lambda _: None
) -> None:
    """Run one round over each mailbox at once, also for mails whose next attempt is not due yet.

    ``report`` is told how each ended; one that fails keeps no other back. Raises ``designation.`` failures while
    another runs.
    """
    stop = threading.Event()
    with running_rounds(firm) as lease, stopped_by_signals(stop):
        _finish_what_was_asked(firm, lease, told, reached)
        for box in boxes:
            started, result, why = firm.clock(), Result(), None
            try:
                result = mail_round.run_round(
                    firm, lease, box, stopping=stop.is_set, told=told, reached=reached, put_off=False
                )
            except Failure as failure:
                if failure.code == LOST:
                    raise
                why = failure
            report(Status(box.round, started, firm.clock(), result, why.code if why else None, None), why)


def restore_mails(firm: Firm, told: Told, reached: Reached = lambda _: None) -> list[Met]:
    """Put what was asked for of kept mails on the waiting list; raises ``designation.`` failures while another runs."""
    with running_rounds(firm) as lease:
        return restore_asked(firm, lease, told, reached)


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

    def present() -> list[Source]:
        boxes = mailboxes.every(firm) if firm.settings.switch(MAIL_SWITCH) else []
        watchers.follow([box for box in boxes if box.active])
        return sources(firm, stop, pulse, told, reached)

    if firm.settings.text("service.start") == "manual":  # it waits for a person's word
        firm.settings.set("service.paused", "yes")
    with running_rounds(firm) as lease, watching(firm, suspects):
        rounds = Rounds(firm, lease, present, wait=waiting(stop), stopping=stop.is_set, report=report, pulse=pulse)
        watchers = Watchers(firm, rounds.wake)
        try:
            rounds.run()
        finally:
            watchers.stop()


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


def _finish_what_was_asked(firm: Firm, lease: Lease, told: Told, reached: Reached) -> None:
    finish_assignments(firm)
    restore(firm, lease, told, reached)
