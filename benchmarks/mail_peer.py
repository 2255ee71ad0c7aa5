"""Empties a mailbox with imap_tools, 20 mails at a time, and stores their files; never syncs or records anything."""

import hashlib
import ssl
import sys
from pathlib import Path

from imap_tools import MailBox


def main() -> None:
    """Take host, port, user, password, the server's certificate and a folder from the command line."""
    host, port, user, password, authority, target = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    folder = Path(target)
    with MailBox(host, int(port), ssl_context=context).login(user, password) as mailbox:
        uids = mailbox.uids()
        for at in range(0, len(uids), 20):
            together = uids[at : at + 20]
            for message in mailbox.fetch(f"UID {','.join(together)}", mark_seen=False, bulk=True):
                for number, attachment in enumerate(message.attachments):
                    content = attachment.payload
                    part = folder / f".{message.uid}-{number}"
                    part.write_bytes(content)
                    hashlib.sha256(content).hexdigest()
                    part.rename(folder / f"{message.uid}-{number}-{attachment.filename}")
            mailbox.delete(together)


if __name__ == "__main__":
    main()
