"""The service of the designated machine: rounds over all sources until it is told to stop; never fetches by itself."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

from dossiers import mailboxes, waiting_list
from dossiers.delivery import Reached
from dossiers.designation import LOST, Lease, running_rounds
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.mailboxes import Box
from dossiers.mails import Met
from dossiers.rounds import Pulse, Result, Rounds, Source, Status
from fetcher.batch import Told
from fetcher.remote_files import ORIGIN
from fetcher.round import run_round
from fetcher.sessions import Sessions
from mail_intake import round as mail_round
from mail_intake.mailbox import Mailbox
from mail_intake.restoring import restore_asked
from mail_intake.watching import Watchers
from transfer.failures import Failure, TemporaryFailure
from transfer.retry import Wait

SWITCH, MAIL_SWITCH = "service.ftp", "service.mail"
"""The settings that tick FTP and mail among the sources."""

_log = logging.getLogger("navette.service")

Report = Callable[[Status, Failure | None], None]
"""Told how each round ended, with the failure that ended it early if one did."""


def once(firm: Firm, told: Told = lambda *_: None, reached: Reached = lambda _: None) -> Result:
    """Run one round over the FTP server at once, also for files whose next attempt is not due yet.

    Raises the failure that kept files from being reached, and ``designation.`` ones while another runs.
    """
    stop = threading.Event()
    with running_rounds(firm) as lease, stopped_by_signals(stop):
        _finish_what_was_asked(firm, lease, told, reached)
        return run_round(
            firm, lease, wait=_waiting(stop), stopping=stop.is_set, told=told, reached=reached, put_off=False
        )


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
    firm: Firm, stop: threading.Event, report: Report, told: Told = lambda *_: None, reached: Reached = lambda _: None
) -> None:
    """Run rounds until ``stop`` is set; it is obeyed between two documents."""

    pulse = Pulse()
    sessions = Sessions()
    opening: list[Mailbox] = []

    def beat(document: Document, failure: Failure | None) -> None:
        pulse.beat()
        told(document, failure)

    def fetch(lease: Lease) -> Result:
        nonlocal sessions
        sessions = Sessions()
        _finish_what_was_asked(firm, lease, told, reached)
        return run_round(
            firm, lease, wait=_waiting(stop), stopping=stop.is_set, told=beat, reached=reached, sessions=sessions
        )

    def cut() -> None:
        sessions.cut()

    def beat_and_ask() -> bool:
        pulse.beat()  # asked between two batches of mails, which need not have files in them
        return stop.is_set()

    def take_mail(lease: Lease, box: Box) -> Result:
        opening.clear()
        _finish_what_was_asked(firm, lease, told, reached)
        return mail_round.run_round(
            firm, lease, box, stopping=beat_and_ask, told=beat, reached=reached, opening=opening.append
        )

    def cut_mail() -> None:
        for mailbox in opening:
            mailbox.abandon()

    def sources() -> list[Source]:
        boxes = [box for box in mailboxes.every(firm) if box.active]
        watchers.follow(boxes if firm.settings.switch(MAIL_SWITCH) else [])
        mail = [Source(box.round, MAIL_SWITCH, partial(take_mail, box=box), cut_mail, box.minutes) for box in boxes]
        return [Source(ORIGIN, SWITCH, fetch, cut), *mail]

    if firm.settings.text("service.start") == "manual":  # it waits for a person's word
        firm.settings.set("service.paused", "yes")
    with running_rounds(firm) as lease:
        waiting = _waiting(stop)
        rounds = Rounds(firm, lease, sources, wait=waiting, stopping=stop.is_set, report=report, pulse=pulse)
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


def _waiting(stop: threading.Event) -> Wait:
    """Return a wait that ends early when the service is told to stop."""

    def wait(seconds: float) -> None:
        stop.wait(seconds)

    return wait


def _finish_what_was_asked(firm: Firm, lease: Lease, told: Told, reached: Reached) -> None:
    """Finish assignments, and put what was asked for of kept mails on the waiting list; neither ends a round."""
    with suppress(TemporaryFailure):  # someone assigns at this moment, and finishes them first
        waiting_list.resume(firm)
    try:
        restore_asked(firm, lease, told, reached)
    except Failure as failure:
        if failure.code == LOST:
            raise
        _log.warning("restore %s", failure)
