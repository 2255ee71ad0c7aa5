"""The sources of a firm, each with its round, for whatever runs rounds; never runs one by itself."""

import threading
from collections.abc import Callable
from contextlib import suppress

from dossiers import waiting_list
from dossiers.delivery import Reached
from dossiers.designation import Lease
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.ftp_access import node_names
from dossiers.rounds import Pulse, Result, Source
from fetcher.batch import Told
from fetcher.round import run_round
from fetcher.sessions import Sessions
from mail_intake import round as mail_round
from mail_intake.mailbox import Mailbox
from transfer.failures import Failure, TemporaryFailure
from transfer.retry import Wait

SWITCH, MAIL_SWITCH = "service.ftp", "service.mail"
"""The settings that tick FTP and mail among the sources."""


def sources(firm: Firm, stop: threading.Event, pulse: Pulse, told: Told, reached: Reached) -> list[Source]:
    """Return the FTP servers and the mailbox; ``pulse`` beats while their rounds work, ``stop`` is obeyed by them."""

    def beat(document: Document, failure: Failure | None) -> None:
        pulse.beat()
        told(document, failure)

    def beat_and_ask() -> bool:
        pulse.beat()  # asked between two batches of mails, which need not have files in them
        return stop.is_set()

    found = [_ftp(firm, name, stop, beat, reached) for name in node_names(firm)]
    return [*found, _mail(firm, beat_and_ask, beat, reached)]


def waiting(stop: threading.Event) -> Wait:
    """Return a wait that ends early when the service is told to stop."""

    def wait(seconds: float) -> None:
        stop.wait(seconds)

    return wait


def finish_assignments(firm: Firm) -> None:
    """Bring assignments that a dead program left half-way to their end, unless someone assigns at this moment."""
    with suppress(TemporaryFailure):
        waiting_list.resume(firm)


def _ftp(firm: Firm, name: str, stop: threading.Event, told: Told, reached: Reached) -> Source:
    sessions = Sessions()

    def fetch(lease: Lease) -> Result:
        nonlocal sessions
        sessions = Sessions()
        finish_assignments(firm)
        return run_round(
            firm,
            lease,
            source=name,
            wait=waiting(stop),
            stopping=stop.is_set,
            told=told,
            reached=reached,
            sessions=sessions,
        )

    def cut() -> None:
        sessions.cut()

    return Source(name, SWITCH, fetch, cut=cut)


def _mail(firm: Firm, stopping: Callable[[], bool], told: Told, reached: Reached) -> Source:
    opening: list[Mailbox] = []

    def take_mail(lease: Lease) -> Result:
        opening.clear()
        finish_assignments(firm)
        return mail_round.run_round(firm, lease, stopping=stopping, told=told, reached=reached, opening=opening.append)

    def cut() -> None:
        for mailbox in opening:
            mailbox.abandon()

    return Source(mail_round.ORIGIN, MAIL_SWITCH, take_mail, cut=cut)
