"""The service of the designated machine: rounds over all sources until it is told to stop; never fetches by itself."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from dossiers import waiting_list
from dossiers.delivery import Reached
from dossiers.designation import Lease, running_rounds
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.rounds import Pulse, Result, Rounds, Source, Status
from fetcher.alarm_watch import Suspects, watching
from fetcher.batch import Told
from fetcher.remote_files import ORIGIN
from fetcher.round import run_round
from fetcher.sessions import Sessions
from mail_intake import round as mail_round
from mail_intake.mailbox import Mailbox
from transfer.failures import Failure, TemporaryFailure
from transfer.retry import Wait

SWITCH, MAIL_SWITCH = "service.ftp", "service.mail"
"""The settings that tick FTP and mail among the sources."""

Report = Callable[[Status, Failure | None], None]
"""Told how each round ended, with the failure that ended it early if one did."""


def once(firm: Firm, told: Told = lambda *_: None, reached: Reached = lambda _: None) -> Result:
    """Run one round over the FTP server at once, also for files whose next attempt is not due yet.

    Raises the failure that kept files from being reached, and ``designation.`` ones while another runs.
    """
    stop = threading.Event()
    with running_rounds(firm) as lease, stopped_by_signals(stop):
        _finish_assignments(firm)
        return run_round(
            firm, lease, wait=_waiting(stop), stopping=stop.is_set, told=told, reached=reached, put_off=False
        )


def once_mail(firm: Firm, told: Told = lambda *_: None, reached: Reached = lambda _: None) -> Result:
    """Run one round over the mailbox at once, also for mails whose next attempt is not due yet; raises as ``once``."""
    stop = threading.Event()
    with running_rounds(firm) as lease, stopped_by_signals(stop):
        _finish_assignments(firm)
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
    sessions = Sessions()
    opening: list[Mailbox] = []

    def beat(document: Document, failure: Failure | None) -> None:
        pulse.beat()
        told(document, failure)

    def fetch(lease: Lease) -> Result:
        nonlocal sessions
        sessions = Sessions()
        _finish_assignments(firm)
        return run_round(
            firm, lease, wait=_waiting(stop), stopping=stop.is_set, told=beat, reached=reached, sessions=sessions
        )

    def cut() -> None:
        sessions.cut()

    def beat_and_ask() -> bool:
        pulse.beat()  # asked between two batches of mails, which need not have files in them
        return stop.is_set()

    def take_mail(lease: Lease) -> Result:
        opening.clear()
        _finish_assignments(firm)
        return mail_round.run_round(
            firm, lease, stopping=beat_and_ask, told=beat, reached=reached, opening=opening.append
        )

    def cut_mail() -> None:
        for mailbox in opening:
            mailbox.abandon()

    if firm.settings.text("service.start") == "manual":  # it waits for a person's word
        firm.settings.set("service.paused", "yes")
    with running_rounds(firm) as lease, watching(firm, suspects):
        sources = [
            Source(ORIGIN, SWITCH, fetch, cut=cut),
            Source(mail_round.ORIGIN, MAIL_SWITCH, take_mail, cut=cut_mail),
        ]
        waiting = _waiting(stop)
        Rounds(firm, lease, sources, wait=waiting, stopping=stop.is_set, report=report, pulse=pulse).run()


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


def _finish_assignments(firm: Firm) -> None:
    with suppress(TemporaryFailure):  # someone assigns at this moment, and finishes them first
        waiting_list.resume(firm)
