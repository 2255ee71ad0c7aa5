"""One pass over a mailbox: reads what is there, delivers the files of each mail, removes the mails that are at rest.

Never removes a mail without a receipt for its bytes, which is made only once every file of it is in a dossier, waits,
or was left out by a decision that is on record. Whatever moment the program dies at, each mail has one continuation:

======== ===================================== ====================================================================
state    what may be there                     continuation
======== ===================================== ====================================================================
(none)   the mail in the mailbox               read it
seen     some of its files stored              read it again: a file has the same place in the mail at each reading,
                                               so those that are stored are known, and the others follow
at_rest  the mail, or no longer                remove it if it is there with the same bytes, else it is removed
left     the mail, without a file in it        it stays
held     the mail; a copy of it waits          it stays until a person decides
removed  nothing                               none
======== ===================================== ====================================================================
"""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import BinaryIO

from dossiers import dossier as dossiers
from dossiers.delivery import BATCH, Delivery, Reached, Received
from dossiers.designation import LOST, Lease
from dossiers.disk import Disk
from dossiers.document import Arrival, Destination, Document, State
from dossiers.firm import Firm
from dossiers.mails import Decided, Mails, MailState, Met
from dossiers.pauses import UNREACHABLE
from dossiers.rounds import Result
from mail_intake.access import access, opened
from mail_intake.header import Header
from mail_intake.mailbox import Listed, Mailbox
from mail_intake.message import read
from mail_intake.part import Fate, Part
from mail_intake.routing import Routed, route
from mail_intake.rulebook import rulebook
from mail_intake.rules import EXCLUDED, Action, Decision
from transfer.failures import Failure
from transfer.fingerprints import Fingerprint, measure_bytes
from transfer.receipts import confirm

ORIGIN = "mail"
"""The kind of source these documents come from."""

TOGETHER = 20
"""Most messages that are read together."""

LARGEST_TOGETHER = 32 * 1024 * 1024
"""How many bytes they may have in all, if there is more than one."""

ATTEMPTS = 3
"""How often a mail may fail to be read before it waits as a whole."""

FULL = frozenset({"delivery.disk_full", "database.full"})
"""The failures that no other mail of this round would escape."""

Told = Callable[[Document, Failure | None], None]
"""Told each document that was stored, and each that failed with its failure."""

_DONE = frozenset({MailState.AT_REST, MailState.REMOVED})
_log = logging.getLogger("navette.mail")


def run_round(
    firm: Firm,
    lease: Lease,
    *,
    stopping: Callable[[], bool] = lambda: False,
    told: Told = lambda *_: None,
    reached: Reached = lambda _: None,
    disk: Disk | None = None,
    put_off: bool = True,
    opening: Callable[[Mailbox], None] = lambda _: None,
) -> Result:
    """Run one round for the holder of the lease and return what it did.

    A mail that failed before is left until its next attempt is due, unless ``put_off`` is False. ``opening``
    is told the open mailbox, so that it can be abandoned from outside. Raises the failure that kept mails from being
    reached: server away, login refused, disk full, lease lost.
    """
    at = access(firm)
    delivery = Delivery(firm, lease, disk, lambda step: reached(f"mail.{step}"))
    delivery.resume(delivery.open_documents(ORIGIN))
    mailbox = opened(at)
    with contextlib.closing(mailbox):
        opening(mailbox)
        mails = Mails(firm, lease, at.source)
        return _Round(firm, mails, mailbox, delivery, told=told, reached=reached).run(stopping, put_off)


@dataclass
class _Taken:
    """A message of a batch: its row, and its files that go to a dossier or wait."""

    mail: Met
    fingerprint: Fingerprint
    offered: list[Routed] = field(default_factory=list)
    sender: str = ""
    rests: MailState = MailState.AT_REST
    """What the mail becomes once its files are at rest."""


_Missing = tuple[Arrival, Part, Document | None]
"""A file that is to be delivered, and its document if it was discovered before."""


class _Round:
    def __init__(
        self, firm: Firm, mails: Mails, mailbox: Mailbox, delivery: Delivery, *, told: Told, reached: Reached
    ) -> None:
        self._firm = firm
        self._mailbox = mailbox
        self._delivery = delivery
        self._told = told
        self._reached = reached
        self._mails = mails
        self._rules = rulebook(firm)
        self._dossiers = {dossier.number: dossier for dossier in dossiers.every(firm)}
        self._counts = {"delivered": 0, "waiting": 0, "failed": 0}
        self._full: Failure | None = None
        kept = firm.settings.text("mail.after") == "keep"
        self._keep = timedelta(days=firm.settings.number("mail.keep_days") if kept else 0)

    def run(self, stopping: Callable[[], bool], put_off: bool) -> Result:
        listed = self._mailbox.listed()
        met = self._mails.met(self._mailbox.generation)
        self._settle(listed, met)
        wanted = [one for one in listed if self._wants(one, met.get(one.number), put_off)]
        for batch in _batches(wanted):
            if stopping():
                break
            self._batch([one.number for one in batch])
            if self._full is not None:
                raise self._full
        paused = self._delivery.pauses.end(ORIGIN)
        return Result(**self._counts, paused=sum(pause.documents for pause in paused))

    def _wants(self, listed: Listed, mail: Met | None, put_off: bool) -> bool:
        """Tell whether a message is to be taken; one at rest that is marked as deleted was not expunged in time."""
        if mail is None:
            return not listed.marked
        if mail.state is MailState.AT_REST:
            return mail.changed + self._keep <= self._firm.clock()
        due = mail.next_try is None or mail.next_try <= self._firm.clock() or not put_off
        return mail.state is MailState.SEEN and due

    def _settle(self, listed: Sequence[Listed], met: dict[str, Met]) -> None:
        """Record which mails are no longer there, at rest or not."""
        there = {one.number for one in listed}
        gone = [mail for number, mail in met.items() if number not in there]
        self._gone([mail for mail in gone if mail.state is MailState.AT_REST])
        vanished = [mail for mail in gone if mail.state in {MailState.SEEN, MailState.LEFT, MailState.HELD}]
        documents = self._documents()
        for mail in vanished:  # what is stored stays known by its mail, which may come back
            left = documents.get(mail.id, {}).values()
            self._delivery.vanished([one for one in left if one.state is State.DISCOVERED])
        self._mails.become(vanished, MailState.VANISHED)

    def _batch(self, numbers: Sequence[str]) -> None:
        """Take messages from the mailbox to their rest, and remove them."""
        fetched = self._mailbox.fetch(numbers)
        prints = [measure_bytes(raw) for _, raw in fetched]
        messages = [
            (number, fingerprint, Header(raw).raw("message-id").strip())
            for (number, raw), fingerprint in zip(fetched, prints, strict=True)
        ]
        mails = self._mails.meet(self._mailbox.generation, messages)
        self._reached("mail.met")
        taken: list[_Taken] = []
        for mail, fingerprint, (_, raw) in zip(mails, prints, fetched, strict=True):
            one = _Taken(mail, fingerprint)
            if fingerprint != mail.fingerprint:  # the server has given a number to another mail: it must not be removed
                self._mails.failed(mail, "mail.changed")
                self._counts["failed"] += 1
            elif self._is_done(mail) or (self._mails.twin(mail) is None and self._decide(one, raw)):
                taken.append(one)
        pauses = self._delivery.pauses
        self._deliver([one for one in self._missing(taken) if not pauses.holds_back(one[0].to, one[0].path)])
        documents = self._documents()
        self._remove([one for one in taken if self._may_go(one, documents.get(one.mail.id, {}))])

    def _is_done(self, mail: Met) -> bool:
        """Tell whether a mail, or the one it is a copy of, is at rest; a copy of one that is not waits for that one."""
        return mail.state in _DONE or self._mails.twin(mail) in _DONE

    def _decide(self, one: _Taken, raw: bytes) -> bool:
        """Read a message, decide for its files and put that on record; one that cannot be read is tried again."""
        try:
            message = read(raw)
            routed = route(message.mail, message.parts, self._rules)
        except Exception:  # noqa: BLE001  a message that was made to break its reader must not stop the others
            _log.exception("mail=%d mail.unexpected", one.mail.id)
            if one.mail.attempts + 1 < ATTEMPTS:
                self._mails.failed(one.mail, "mail.unexpected")
                self._counts["failed"] += 1
                return False
            whole = Part("0", "mail.eml", Fate.HELD, "waiting.unreadable_mail", raw)
            routed = [Routed(whole, Decision(Action.WAIT, "waiting.unreadable_mail"))]
            one.rests = MailState.HELD
        else:
            one.sender = message.mail.sender
        self._mails.decide(one.mail, map(_decided, routed))
        one.offered = [each for each in routed if each.decision.action is not Action.IGNORE]
        if not one.offered and all(each.decision.reason != EXCLUDED for each in routed):
            one.rests = MailState.LEFT
        return True

    def _missing(self, taken: Sequence[_Taken]) -> list[_Missing]:
        """Return the files of messages that are not at rest, and forget those that the rules no longer want."""
        wanted: list[_Missing] = []
        documents = self._documents()
        for one in taken:
            known = documents.get(one.mail.id, {})
            paths = {self._path(one.mail, each.part) for each in one.offered}
            self._delivery.vanished(
                [old for path, old in known.items() if path not in paths and old.state is State.DISCOVERED]
            )
            for each in one.offered:
                old = known.get(self._path(one.mail, each.part))
                if old is None or old.state is State.DISCOVERED:
                    wanted.append((self._arrival(one, each), each.part, old))
        return wanted

    def _deliver(self, wanted: Sequence[_Missing]) -> None:
        """Deliver files, up to 50 together."""
        for at in range(0, len(wanted), BATCH):
            together = wanted[at : at + BATCH]
            arrivals = [arrival for arrival, _, _ in together]
            documents = self._delivery.discover(arrivals, {old.path: old for _, _, old in together if old})
            received: list[Received] = []
            failed: list[tuple[Document, Failure]] = []
            for document, (arrival, part, _) in zip(documents, together, strict=True):
                try:
                    received.append(self._delivery.receive(document, arrival, _writing(part)))
                except Failure as failure:
                    if failure.code == LOST:
                        raise
                    failed.append((document, failure))
            outcome = self._delivery.store(received)
            for document, _ in outcome.stored:
                self._counts["delivered" if document.dossier else "waiting"] += 1
                self._told(document, None)
            self._record(failed + outcome.failed)

    def _record(self, failed: Sequence[tuple[Document, Failure]]) -> None:
        self._full = self._full or next((failure for _, failure in failed if failure.code in FULL), None)
        self._delivery.failed(failed)
        for document, failure in failed:
            if failure.code != UNREACHABLE:  # told once for the whole dossier, with all that its pause keeps back
                self._counts["failed"] += 1
                self._told(document, failure)

    def _may_go(self, one: _Taken, documents: Mapping[str, Document]) -> bool:
        """Record whether every file of a message is at rest, and tell whether the message may go now."""
        if one.mail.state in _DONE:
            return one.mail.changed + self._keep <= self._firm.clock()
        stored = {path for path, document in documents.items() if document.state is State.STORED}
        if not {self._path(one.mail, each.part) for each in one.offered} <= stored:
            paths = [self._path(one.mail, each.part) for each in one.offered]
            if self._delivery.pauses.hold_any(paths):
                self._mails.put_off(one.mail)
            else:
                self._mails.failed(one.mail, "mail.not_at_rest")
            return False
        self._mails.become([one.mail], one.rests)
        self._reached("mail.at_rest")
        return one.rests is MailState.AT_REST and not self._keep

    def _remove(self, taken: Sequence[_Taken]) -> None:
        """Remove messages whose files are at rest, each against the receipt for its bytes."""
        receipts = [
            confirm(one.mail.number, one.fingerprint, one.mail.fingerprint, f"mail {one.mail.id}") for one in taken
        ]
        gone = self._mailbox.remove(receipts)
        self._reached("mail.expunged")
        self._gone([one.mail for one in taken if one.mail.number in gone])

    def _gone(self, mails: Sequence[Met]) -> None:
        """Record that mails at rest are no longer in the mailbox."""
        documents = self._documents() if mails else {}
        left = [document for mail in mails for document in documents.get(mail.id, {}).values()]
        self._delivery.removed([document for document in left if document.state is State.STORED])
        self._mails.become(mails, MailState.REMOVED)

    def _documents(self) -> dict[int, dict[str, Document]]:
        """Return the documents whose mail is still in its mailbox, by mail and path."""
        found: dict[int, dict[str, Document]] = {}
        for document in self._delivery.open_documents(ORIGIN):
            found.setdefault(int(document.path.partition("/")[0]), {})[document.path] = document
        return found

    def _path(self, mail: Met, part: Part) -> str:
        return f"{mail.id}/{part.path}"

    def _arrival(self, one: _Taken, each: Routed) -> Arrival:
        decision, part = each.decision, each.part
        if decision.action is Action.DELIVER and decision.dossier is not None:
            dossier = self._dossiers[decision.dossier]
            to = Destination.in_dossier(dossier, self._firm.root, self._firm.clock())
        else:
            to = Destination.waiting(self._firm.waiting_folder, decision.reason)
        told = part.fingerprint
        path = self._path(one.mail, part)
        arrival = Arrival(ORIGIN, self._mails.source, path, part.name, to, told.size, None, told.sha256)
        return replace(arrival, sender=one.sender or None)


def _batches(listed: Sequence[Listed]) -> list[list[Listed]]:
    found: list[list[Listed]] = []
    size = 0
    for one in listed:
        if not found or len(found[-1]) == TOGETHER or size + one.size > LARGEST_TOGETHER:
            found.append([])
            size = 0
        found[-1].append(one)
        size += one.size
    return found


def _writing(part: Part) -> Callable[[BinaryIO], Fingerprint]:
    def fetch(target: BinaryIO) -> Fingerprint:
        target.write(part.content)
        return part.fingerprint

    return fetch


def _decided(each: Routed) -> Decided:
    part, decision = each.part, each.decision
    return Decided(
        part.path,
        part.name,
        part.fingerprint.sha256 or "",
        decision.action.value,
        decision.reason,
        decision.dossier,
        decision.rule,
    )
