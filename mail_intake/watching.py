"""Waits beside the rounds until an IMAP server tells of new mail, one thread for each mailbox; never reads a mail."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from dossiers.firm import Firm
from dossiers.mailboxes import Box
from mail_intake.access import access
from mail_intake.imap_mailbox import ImapMailbox
from transfer.failures import Failure

RENEWAL = 9 * 60.0
"""Seconds after which a session is renewed: routers forget connections on which nothing is said for ten minutes."""

_PATIENCE = 2.0
_SELDOM = 60.0  # seconds between two wakes by first sessions: a server that drops each must not keep rounds running
_log = logging.getLogger("navette.mail")


class Watchers:
    """The threads that watch; ``wake`` is told the name of the round that has something to do."""

    def __init__(self, firm: Firm, wake: Callable[[str], None], renewal: float = RENEWAL) -> None:
        self._firm = firm
        self._wake = wake
        self._renewal = renewal
        self._watches: dict[str, _Watch] = {}
        self._never: set[str] = set()
        self._begun: dict[str, float] = {}

    def follow(self, boxes: Sequence[Box]) -> None:
        """Watch these mailboxes and no others; one whose thread came to its end is tried again.

        Mailboxes that must be polled (POP3, a server that tells of nothing) and those that wait for a yes are left out.
        """
        self._never |= {watch.box.source for watch in self._watches.values() if watch.cannot_wait}
        wanted = {
            box.name: replace(box, tokens="", accepted="")
            for box in boxes
            if box.kind == "imap" and box.is_accepted and box.source not in self._never
        }
        for name, watch in list(self._watches.items()):
            if wanted.get(name) != replace(watch.box, tokens="", accepted="") or not watch.is_alive():
                watch.end()
                del self._watches[name]
        for box in boxes:
            if box.name in wanted and box.name not in self._watches:
                watch = self._watches[box.name] = _Watch(self._firm, box, self._wake, self._renewal)
                watch.wakes_at_first = time.monotonic() - self._begun.get(box.name, -_SELDOM) >= _SELDOM
                self._begun[box.name] = time.monotonic()
                watch.start()

    def stop(self) -> None:
        """End all of them."""
        for watch in self._watches.values():
            watch.end()
        for watch in self._watches.values():
            watch.join(_PATIENCE)


class _Watch(threading.Thread):
    """Watches one mailbox until it is told to end, or something fails: rounds go on by the clock meanwhile."""

    def __init__(self, firm: Firm, box: Box, wake: Callable[[str], None], renewal: float) -> None:
        super().__init__(name=f"watch-{box.name}", daemon=True)
        self.box = box
        self.cannot_wait = False
        self.wakes_at_first = True
        self._firm = firm
        self._wake = wake
        self._renewal = renewal
        self._ended = threading.Event()
        self._turn = threading.Lock()
        self._mailbox: ImapMailbox | None = None

    def run(self) -> None:
        """Watch, with a new session now and then; what came before each session is looked for as well."""
        try:
            while not self._ended.is_set():
                self._session()
                self.wakes_at_first = True
        except Failure as failure:
            if not self._ended.is_set():
                _log.warning("watch mailbox=%s %s", self.box.name, failure)

    def end(self) -> None:
        """Break the session off."""
        self._ended.set()
        with self._turn:
            if self._mailbox is not None:
                self._mailbox.abandon()

    def _session(self) -> None:
        with contextlib.closing(ImapMailbox(access(self._firm, self.box))) as mailbox:
            with self._turn:
                self._mailbox = mailbox
            self.cannot_wait = not mailbox.can_wait
            if self.cannot_wait:
                self._ended.set()
            elif self.wakes_at_first:
                self._wake(self.box.round)
            while not self._ended.is_set() and mailbox.wait(self._renewal):
                self._wake(self.box.round)
            with self._turn:
                self._mailbox = None
