"""The sources of a firm, each with its round, for whatever runs rounds; never runs one by itself."""

import logging
import threading
from contextlib import suppress

from dossiers import mailboxes, waiting_list
from dossiers.delivery import Reached
from dossiers.designation import LOST, Lease
from dossiers.document import Document
from dossiers.firm import Firm
from dossiers.ftp_access import node_names
from dossiers.mailboxes import Box
from dossiers.rounds import Pulse, Result, Source, is_ticked
from fetcher.batch import Told
from fetcher.round import run_round
from fetcher.sessions import Sessions
from mail_intake import round as mail_round
from mail_intake.mailbox import Mailbox
from mail_intake.restoring import restore_asked
from transfer.failures import Failure, TemporaryFailure
from transfer.retry import Wait

SWITCH, MAIL_SWITCH = "service.ftp", "service.mail"
"""The settings that tick FTP and mail among the sources."""

_log = logging.getLogger("navette.service")


def source_names(firm: Firm) -> list[str]:
    """Return the names of the FTP servers and of the mailboxes that are read."""
    return [*node_names(firm), *(box.round for box in mailboxes.every(firm) if box.active)]


def sources(firm: Firm, stop: threading.Event, pulse: Pulse, told: Told, reached: Reached) -> list[Source]:
    """Return the FTP servers and the mailboxes that are read, as they are at this moment.

    ``pulse`` beats while their rounds work, ``stop`` is obeyed by them.
    """
    made = _Sources(firm, stop, pulse, told, reached)
    boxes = [box for box in mailboxes.every(firm) if box.active]
    return [*map(made.ftp, node_names(firm)), *map(made.mail, boxes)]


def waiting(stop: threading.Event) -> Wait:
    """Return a wait that ends early when the service is told to stop."""

    def wait(seconds: float) -> None:
        stop.wait(seconds)

    return wait


def finish_assignments(firm: Firm) -> None:
    """Bring assignments that a dead program left half-way to their end, unless someone assigns at this moment."""
    with suppress(TemporaryFailure):
        waiting_list.resume(firm)


def restore(firm: Firm, lease: Lease, told: Told, reached: Reached) -> None:
    """Put what was asked for of kept mails on the waiting list; what fails is tried again by the next round."""
    try:
        restore_asked(firm, lease, told, reached)
    except Failure as failure:
        if failure.code == LOST:
            raise
        _log.warning("restore %s", failure)


class _Sources:
    """Makes the sources of one firm."""

    def __init__(self, firm: Firm, stop: threading.Event, pulse: Pulse, told: Told, reached: Reached) -> None:
        self._firm = firm
        self._stop = stop
        self._pulse = pulse
        self._told = told
        self._reached = reached

    def ftp(self, name: str) -> Source:
        """Return an FTP server."""
        sessions = Sessions()

        def fetch(lease: Lease) -> Result:
            nonlocal sessions
            sessions = Sessions()
            self._begin(name, lease)
            return run_round(
                self._firm,
                lease,
                source=name,
                wait=waiting(self._stop),
                stopping=self._stop.is_set,
                told=self._beat,
                reached=self._reached,
                sessions=sessions,
            )

        def cut() -> None:
            sessions.cut()

        return Source(name, SWITCH, fetch, cut)

    def mail(self, box: Box) -> Source:
        """Return a mailbox."""
        opening: list[Mailbox] = []

        def take_mail(lease: Lease) -> Result:
            opening.clear()
            self._begin(box.round, lease)
            return mail_round.run_round(
                self._firm,
                lease,
                box,
                stopping=self._beat_and_ask,
                told=self._beat,
                reached=self._reached,
                opening=opening.append,
            )

        def cut() -> None:
            for mailbox in opening:
                mailbox.abandon()

        return Source(box.round, MAIL_SWITCH, take_mail, cut, box.minutes)

    def _begin(self, name: str, lease: Lease) -> None:
        finish_assignments(self._firm)
        ticked = [each for each in source_names(self._firm) if is_ticked(self._firm, each)]
        if ticked[:1] == [name]:  # where several machines share the sources, one of them does it
            restore(self._firm, lease, self._told, self._reached)

    def _beat(self, document: Document, failure: Failure | None) -> None:
        self._pulse.beat()
        self._told(document, failure)

    def _beat_and_ask(self) -> bool:
        self._pulse.beat()  # asked between two batches of mails, which need not have files in them
        return self._stop.is_set()
