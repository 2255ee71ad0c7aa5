"""One pass over a mailbox: reads what is there, delivers the files of each mail, removes the mails that are at rest.

Never removes a mail without a receipt for its bytes, which is made only once every file of it is in a dossier, waits,
or was left out by a decision that is on record, and the firm's home keeps the raw mail. Whatever moment the program
dies at, each mail has one continuation:

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
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from dossiers import mailboxes
from dossiers.delivery import Delivery, Reached
from dossiers.designation import Lease
from dossiers.disk import Disk
from dossiers.document import Document, State
from dossiers.firm import Firm
from dossiers.kept_mails import KeptMails
from dossiers.mailboxes import Box
from dossiers.mails import Mails, MailState, Met, Reading
from dossiers.rounds import Result
from mail_intake.access import access, opened
from mail_intake.antivirus import Scanner, scanner_of
from mail_intake.filing import ORIGIN, Filing, Missing, Told, decided, path_of
from mail_intake.header import Header
from mail_intake.mailbox import Listed, Mailbox
from mail_intake.message import read
from mail_intake.part import Fate, Part
from mail_intake.routing import Routed, route
from mail_intake.rulebook import rulebook
from mail_intake.rules import EXCLUDED, Action, Decision
from transfer.failures import Failure, PermanentFailure
from transfer.fingerprints import Fingerprint, measure_bytes
from transfer.receipts import confirm

TOGETHER = 20
"""Most messages that are read together."""

LARGEST_TOGETHER = 32 * 1024 * 1024
"""How many bytes they may have in all, if there is more than one."""

ATTEMPTS = 3
"""How often a mail may break its reader, or end the program, before it waits as a whole."""

_DONE = frozenset({MailState.AT_REST, MailState.REMOVED})
_log = logging.getLogger("navette.mail")


def run_round(
    firm: Firm,
    lease: Lease,
    box: Box,
    *,
    stopping: Callable[[], bool] = lambda: False,
    told: Told = lambda *_: None,
    reached: Reached = lambda _: None,
    disk: Disk | None = None,
    put_off: bool = True,
    opening: Callable[[Mailbox], None] = lambda _: None,
) -> Result:
    """Run one round over a mailbox for the holder of the lease and return what it did.

    A mail that failed before is left until its next attempt is due, unless ``put_off`` is False. ``opening``
    is told the open mailbox, so that it can be abandoned from outside. Raises the failure that kept mails from being
    reached: server away, login refused, virus scanner away, disk full, lease lost; and ``mailbox.not_accepted`` where
    a mailbox that holds mails already waits for a person's yes.
    """
    at = access(firm, box)
    delivery = Delivery(firm, lease, disk, lambda step: reached(f"mail.{step}"))
    delivery.resume(delivery.open_documents(ORIGIN))
    scanner = scanner_of(firm)
    mailbox = opened(at)
    with contextlib.closing(mailbox):
        opening(mailbox)
        read = [one.source for one in mailboxes.every(firm) if one.active]
        mails = Mails(firm, lease, box.source, read)
        kept = KeptMails(firm, lease, mails, disk or Disk())
        filing = Filing(firm, delivery, told)
        work = _Round(
            firm=firm,
            box=box,
            mails=mails,
            mailbox=mailbox,
            filing=filing,
            kept=kept,
            scanner=scanner,
            reached=reached,
        )
        return work.run(stopping, put_off)


@dataclass
class _Taken:
    """A message of a batch: its row and bytes, and its files that go to a dossier or wait."""

    mail: Met
    fingerprint: Fingerprint
    raw: bytes
    copy: bool = False
    """Whether another mail with the same bytes is at rest already, so that nothing of this one is wanted."""
    offered: list[Routed] = field(default_factory=list)
    sender: str = ""
    rests: MailState = MailState.AT_REST
    """What the mail becomes once its files are at rest."""


class _Round:
    def __init__(
        self,
        *,
        firm: Firm,
        box: Box,
        mails: Mails,
        mailbox: Mailbox,
        filing: Filing,
        kept: KeptMails,
        scanner: Scanner | None,
        reached: Reached,
    ) -> None:
        self._firm = firm
        self._box = box
        self._mailbox = mailbox
        self._filing = filing
        self._kept = kept
        self._scanner = scanner
        self._reached = reached
        self._mails = mails
        self._rules = rulebook(firm, box)
        self._keep = timedelta(days=box.keep_days if box.after == "keep" else 0)

    def run(self, stopping: Callable[[], bool], put_off: bool) -> Result:
        listed = self._mailbox.listed()
        if not self._box.is_accepted:
            self._first_look(listed)
        met = self._mails.met(self._mailbox.generation)
        self._settle(listed, met)
        wanted = [one for one in listed if self._wants(one, met.get(one.number), put_off)]
        alone = {number for number, mail in met.items() if mail.readings}
        for batch in _batches(wanted, alone):
            if stopping():
                break
            self._batch([one.number for one in batch])
            if self._filing.full is not None:
                raise self._filing.full
        self._kept.purge()
        return self._filing.result(self._box.round)

    def _first_look(self, listed: Sequence[Listed]) -> None:
        """Let an empty mailbox be emptied from now on; one that holds mails already waits for a person's word."""
        mails = sum(not one.marked for one in listed)
        if mails:
            raise PermanentFailure("mailbox.not_accepted", name=self._box.name, mails=mails)
        mailboxes.accept(self._firm, self._box)

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
        documents = self._filing.documents()
        for mail in vanished:  # what is stored stays known by its mail, which may come back
            self._filing.forget(documents.get(mail.id, {}).values())
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
            if fingerprint != mail.fingerprint:  # the server has given a number to another mail: it must not be removed
                self._mails.failed(mail, "mail.changed")
                self._filing.count_failed()
            else:
                taken.append(_Taken(mail, fingerprint, raw))
        taken = self._decide([one for one in taken if self._is_first(one)])
        self._filing.deliver(self._missing(taken))
        documents = self._filing.documents()
        resting = [one for one in taken if self._rests(one, documents.get(one.mail.id, {}))]
        fresh = [one for one in resting if one.mail.state not in _DONE]
        own = [(one.mail, one.raw) for one in fresh if one.rests is MailState.AT_REST and not one.copy]
        self._kept.keep(own)
        self._reached("mail.kept")
        for state in (MailState.AT_REST, MailState.LEFT, MailState.HELD):
            self._mails.become([one.mail for one in fresh if one.rests is state], state)
        self._reached("mail.at_rest")
        self._remove([one for one in resting if self._may_go(one)])

    def _is_first(self, one: _Taken) -> bool:
        """Tell whether a message is dealt with now: a copy of one that is not at rest yet waits for that one."""
        if one.mail.state in _DONE:
            return True
        twin = self._mails.twin(one.mail)
        if twin is None:
            return True
        if twin is MailState.SEEN:
            self._mails.unmeet(one.mail)
            return False
        one.copy = True
        one.rests = MailState.AT_REST if twin in _DONE else twin
        return True

    def _decide(self, taken: Sequence[_Taken]) -> list[_Taken]:
        """Read messages, decide for their files and put that on record; return them but for those to be tried again."""
        through: list[_Taken] = []
        readings: list[Reading] = []
        for one in taken:
            if not one.copy and one.mail.state not in _DONE:
                try:
                    reading = self._read(one)
                except Failure:  # the virus scanner's, not theirs
                    self._mails.spare([each.mail for each in taken])
                    raise
                if reading is None:
                    continue
                readings.append(reading)
            through.append(one)
        self._mails.decide(readings)
        self._mails.spare([one.mail for one in taken if one.copy])
        return through

    def _read(self, one: _Taken) -> Reading | None:
        """Read a message and decide for its files; one that breaks its reader, or the program, waits after a while."""
        subject = ""
        try:
            if one.mail.readings > ATTEMPTS:  # it ended the program each time: it is not read again
                routed = self._as_a_whole(one)
            else:
                message = read(one.raw)
                routed = route(message.mail, message.parts, self._rules)
                one.sender, subject = message.mail.sender, message.mail.subject
        except Exception:  # noqa: BLE001  a message that was made to break its reader must not stop the others
            _log.exception("mail=%d mail.unexpected", one.mail.id)
            if one.mail.readings < ATTEMPTS:
                self._mails.failed(one.mail, "mail.unexpected")
                self._filing.count_failed()
                return None
            routed = self._as_a_whole(one)
        if self._scanner is not None:
            routed = [self._scanner.judged(each) for each in routed]
        one.offered = [each for each in routed if each.decision.action is not Action.IGNORE]
        if not one.offered and all(each.decision.reason != EXCLUDED for each in routed):
            one.rests = MailState.LEFT
        return Reading(one.mail, one.sender, subject, [decided(each) for each in routed])

    def _as_a_whole(self, one: _Taken) -> list[Routed]:
        whole = Part("0", "mail.eml", Fate.HELD, "waiting.unreadable_mail", one.raw)
        one.rests = MailState.HELD
        return [Routed(whole, Decision(Action.WAIT, "waiting.unreadable_mail"))]

    def _missing(self, taken: Sequence[_Taken]) -> list[Missing]:
        """Return the files of messages that are not at rest, and forget those that the rules no longer want."""
        wanted: list[Missing] = []
        documents = self._filing.documents()
        for one in taken:
            known = documents.get(one.mail.id, {})
            paths = {path_of(one.mail, each.part) for each in one.offered}
            self._filing.forget([old for path, old in known.items() if path not in paths])
            wanted += self._filing.missing(one.mail, one.sender, one.offered, known)
        return wanted

    def _rests(self, one: _Taken, documents: Mapping[str, Document]) -> bool:
        """Tell whether every file of a message is at rest; record why it is not."""
        stored = {path for path, document in documents.items() if document.state is State.STORED}
        paths = [path_of(one.mail, each.part) for each in one.offered]
        if one.mail.state in _DONE or set(paths) <= stored:
            return True
        if self._filing.holds_any(paths):
            self._mails.put_off(one.mail)
        else:
            self._mails.failed(one.mail, "mail.not_at_rest")
        return False

    def _may_go(self, one: _Taken) -> bool:
        """Tell whether a message at rest may go now."""
        if one.mail.state in _DONE:
            return one.mail.changed + self._keep <= self._firm.clock()
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
        documents = self._filing.documents() if mails else {}
        self._filing.removed([document for mail in mails for document in documents.get(mail.id, {}).values()])
        self._mails.become(mails, MailState.REMOVED)


def _batches(listed: Sequence[Listed], alone: Container[str]) -> list[list[Listed]]:
    """Return which messages are read together; one whose reading never came to its end is read by itself."""
    found: list[list[Listed]] = []
    size = 0
    for one in listed:
        if not found or len(found[-1]) == TOGETHER or size + one.size > LARGEST_TOGETHER or one.number in alone:
            found.append([])
            size = 0
        found[-1].append(one)
        size += LARGEST_TOGETHER if one.number in alone else one.size
    return found
