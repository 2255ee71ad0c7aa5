"""Opens one of the firm's mailboxes; never reads a message."""

from dossiers.firm import Firm
from dossiers.mailboxes import Box
from mail_intake.imap_mailbox import ImapMailbox
from mail_intake.mailbox import Access, Mailbox
from mail_intake.pop3_mailbox import Pop3Mailbox
from transfer.failures import PermanentFailure


def access(firm: Firm, box: Box) -> Access:
    """Return where a mailbox is and how to log in, with a token that is valid now where one is needed.

    Refused with ``mailbox.missing`` while a value lacks, and with a ``login.`` code when no token can be had.
    """
    by_password = box.login == "password"
    for name in ("host", "user", "password") if by_password else ("host", "user", "client"):
        if not getattr(box, name):
            raise PermanentFailure("mailbox.missing", name=name, mailbox=box.name)
    return Access(
        kind=box.kind,
        host=box.host,
        port=box.port,
        user=box.user,
        password=firm.seal.open(box.password) if by_password else "",
        token=None if by_password else _token(firm, box),
        folder=box.folder,
        security=box.security,
        fingerprint=box.fingerprint or None,
        authority=box.authority or None,
        move_to=box.move_to if box.after == "move" else None,
    )


def _token(firm: Firm, box: Box) -> str:
    from mail_intake.oauth import current_token  # its libraries are large, and most mailboxes have a password

    return current_token(firm, box)


def opened(at: Access) -> Mailbox:
    """Open a mailbox; close it afterwards."""
    return ImapMailbox(at) if at.kind == "imap" else Pop3Mailbox(at)
