"""Puts files that were left out of mails on the waiting list when a person asks for them; never reads a mailbox."""

from dossiers import kept_mails
from dossiers import mails as all_mails
from dossiers.delivery import Delivery, Reached
from dossiers.designation import Lease
from dossiers.document import State
from dossiers.firm import Firm
from dossiers.mails import Mails, MailState, Met, Restore, is_wanted
from mail_intake.antivirus import scanner_of
from mail_intake.filing import ORIGIN, Filing, Told, path_of
from mail_intake.message import read
from mail_intake.routing import Routed
from mail_intake.rules import Action, Decision

RESTORED = "waiting.restored"
"""Reason of a file that was left out, and that a person asked for."""


def restore_asked(
    firm: Firm, lease: Lease, told: Told = lambda *_: None, reached: Reached = lambda _: None
) -> list[Met]:
    """Put what was asked for on the waiting list, once whatever happens, and return the mails it came from."""
    asked = all_mails.to_restore(firm)
    if not asked:
        return []
    delivery = Delivery(firm, lease, None, lambda step: reached(f"restore.{step}"))
    delivery.resume(delivery.open_documents(ORIGIN))
    filing = Filing(firm, delivery, told)
    done = []
    for mail, which in asked:
        if _restore(firm, filing, mail, which):
            Mails(firm, lease, mail.source).restored(mail)
            done.append(mail)
    return done


def _restore(firm: Firm, filing: Filing, mail: Met, which: Restore) -> bool:
    """Deliver the files of one mail to the waiting folder, and tell whether all of them are there."""
    wanted = {file.path for file in all_mails.decisions(firm, mail.id) if is_wanted(file, which)}
    message = read(kept_mails.raw(firm, mail))
    waits = Decision(Action.WAIT, RESTORED)
    routed = [Routed(part, waits) for part in message.parts if part.path in wanted]
    scanner = scanner_of(firm)
    if scanner is not None:
        routed = [scanner.judged(each) for each in routed]
    filing.deliver(filing.missing(mail, mail.sender or "", routed, all_mails.documents(firm, mail)))
    known = all_mails.documents(firm, mail)
    there = [known.get(path_of(mail, each.part)) for each in routed]
    if not all(one is not None and one.state in {State.STORED, State.REMOVED} for one in there):
        return False
    if mail.state is MailState.REMOVED:  # else they go with the mail
        filing.removed([one for one in there if one is not None])
    return True
