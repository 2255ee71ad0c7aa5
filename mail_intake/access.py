"""Opens the mailbox that the firm's settings name; never reads a message."""

from dossiers.firm import Firm
from mail_intake.imap_mailbox import ImapMailbox
from mail_intake.mailbox import Access, Mailbox
from mail_intake.pop3_mailbox import Pop3Mailbox
from transfer.failures import PermanentFailure


def access(firm: Firm) -> Access:
    """Return where the mailbox is; refused with ``mailbox.missing`` while a setting lacks."""
    settings = firm.settings
    for name in ("mail.host", "mail.user", "mail.password"):
        if not settings.text(name):
            raise PermanentFailure("mailbox.missing", name=name)
    return Access(
        kind=settings.text("mail.kind"),
        host=settings.text("mail.host"),
        port=settings.number("mail.port"),
        user=settings.text("mail.user"),
        password=settings.text("mail.password"),
        folder=settings.text("mail.folder"),
        security=settings.text("mail.security"),
        fingerprint=settings.text("mail.fingerprint") or None,
        authority=settings.text("mail.authority") or None,
        move_to=settings.text("mail.move_to") if settings.text("mail.after") == "move" else None,
    )


def opened(at: Access) -> Mailbox:
    """Open a mailbox; close it afterwards."""
    return ImapMailbox(at) if at.kind == "imap" else Pop3Mailbox(at)
