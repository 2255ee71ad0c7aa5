"""A firm's mailbox on a real mail server, its rounds inside the test's own process; never reads a mail itself."""

from collections.abc import Callable
from email.message import EmailMessage

from mail_server import USER, MailServer

from dossiers import mailboxes
from dossiers.designation import running_rounds
from dossiers.firm import Firm
from dossiers.mailboxes import Box
from dossiers.rounds import Result
from mail_intake import round as mail_round


def use(
    firm: Firm, server: MailServer, kind: str = "imap", *, accepted: bool = True, name: str = "main", **more: str
) -> None:
    """Let the firm read the server's mailbox; its mails may be taken unless ``accepted`` is False."""
    known = name in {box.name for box in mailboxes.every(firm)}
    values = server.settings(kind, **more)
    box = mailboxes.change(firm, name, values) if known else mailboxes.add(firm, name, values)
    if accepted:
        mailboxes.accept(firm, box)


def main_box(firm: Firm) -> Box:
    """Return the firm's mailbox as it is now."""
    return mailboxes.find(firm, "main")


def run(
    firm: Firm, reached: Callable[[str], None] = lambda _: None, put_off: bool = True, name: str = "main"
) -> Result:
    """Run one round over a mailbox."""
    with running_rounds(firm) as lease:
        return mail_round.run_round(firm, lease, mailboxes.find(firm, name), reached=reached, put_off=put_off)


def mail(name: str, *files: str, sender: str = "jan@dupont.be", to: str = USER) -> bytes:
    """Return a mail with PDF files named so, whose bytes tell mail and name."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, name
    message.set_content("Bonjour")
    for file in files:
        message.add_attachment(content(name, file), maintype="application", subtype="pdf", filename=file)
    if files:
        message.set_boundary("the same each time")
    return message.as_bytes()


def content(name: str, file: str) -> bytes:
    """Return the bytes of the file that is named so in the mail that is named so."""
    return f"%PDF-1.4\n% {name} {file}\n%%EOF\n".encode()
