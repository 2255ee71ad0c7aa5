"""Runs Debian's Dovecot on loopback ports as an ordinary user: IMAP and POP3 with TLS; never as a service."""

import getpass
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peers import self_signed
from ports import free_range, is_listening
from processes import end, reap, started
from waiting import until

USER, PASSWORD = "intake@example.test", "geheim-1"
_NOBODY = 65534

_CONFIG = """
protocols = imap pop3
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:~/Maildir
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/certificate.pem
disable_plaintext_auth = no
auth_mechanisms = plain login{tokens}
auth_failure_delay = 0
{by_token}
passdb {{
  driver = passwd-file
  args = {folder}/users
  mechanisms = plain login
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
  default_fields = uid={user} gid={group}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"""


_BY_TOKEN = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.ext
}}
"""
_INTROSPECTION = """
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""


@dataclass
class MailServer:
    """A running server with one mailbox; ``fingerprint`` is that of its certificate, which is also its authority."""

    folder: Path
    imap: int
    imaps: int
    pop3: int
    pop3s: int
    fingerprint: str
    host: str = "127.0.0.1"
    pid: int = 0
    _put: int = 0

    @property
    def maildir(self) -> Path:
        """The mailbox on disk."""
        return self.folder / "mail" / "Maildir"

    def put(self, *messages: bytes) -> None:
        """Deliver messages into the inbox."""
        for message in messages:
            self._put += 1
            draft = self.maildir / "tmp" / f"{1_700_000_000 + self._put}.M{self._put}.test"
            draft.write_bytes(message)
            _give_away(draft)
            draft.rename(self.maildir / "new" / draft.name)

    def messages(self, folder: str = "") -> list[bytes]:
        """Return the messages in a folder of the mailbox, the inbox unless another is named."""
        place = self.maildir / f".{folder}" if folder else self.maildir
        return [path.read_bytes() for part in ("new", "cur") for path in sorted((place / part).glob("*"))]

    def empty(self) -> None:
        """Take all messages out of all folders."""
        for path in [one for part in ("new", "cur") for one in self.maildir.glob(f"**/{part}/*")]:
            path.unlink()

    def renumber(self) -> None:
        """Give all messages new numbers, as a server does that was restored: another UIDVALIDITY, UIDs from 1."""
        uids = self.maildir / "dovecot-uidlist"
        before = int(uids.read_text().partition(" V")[2].split()[0])
        for name in ("dovecot-uidlist*", "dovecot.index*", "dovecot-uidvalidity*"):
            for path in self.maildir.glob(name):
                path.unlink()
        uids.write_text(f"3 V{before + 1000} N1 G{before:032x}\n")
        _give_away(uids)

    def make_folder(self, name: str) -> None:
        """Make a folder beside the inbox."""
        for part in ("", "new", "cur", "tmp"):
            place = self.maildir / f".{name}" / part
            place.mkdir(exist_ok=True)
            _give_away(place)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server and all its processes stand still for a ``with`` block."""
        os.killpg(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.pid, signal.SIGCONT)

    def settings(self, kind: str = "imap", **more: str) -> dict[str, str]:
        """Return the values of this mailbox for the firm, with its certificate pinned."""
        port = self.imaps if kind == "imap" else self.pop3s
        named = {"kind": kind, "host": self.host, "port": str(port), "user": USER, "password": PASSWORD}
        return named | {"fingerprint": self.fingerprint, **more}


@contextmanager
def mail_server(introspection: str = "") -> Iterator[MailServer]:
    """Run a server with an empty mailbox for a ``with`` block; with an address that knows tokens it takes them too."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "dovecot is not there: run packaging/linux/install-test-peers (make peers)"
    folder = Path(tempfile.mkdtemp(prefix="mail", dir="/tmp"))  # its sockets' paths must be short
    folder.chmod(0o755)
    root = os.geteuid() == 0
    user, group = ("nobody", "nogroup") if root else (getpass.getuser(), str(os.getegid()))
    fingerprint = self_signed(folder / "certificate.pem")
    ports = free_range(4)
    imap, imaps, pop3, pop3s = ports
    server = MailServer(folder, imap, imaps, pop3, pop3s, fingerprint)
    for part in ("run", "state", "mail/Maildir/new", "mail/Maildir/cur", "mail/Maildir/tmp"):
        (folder / part).mkdir(parents=True)
    words = {"folder": folder, "user": user, "group": group, "imap": imap, "imaps": imaps, "pop3": pop3, "pop3s": pop3s}
    by_token = {"tokens": " xoauth2 oauthbearer", "by_token": _BY_TOKEN.format(folder=folder)}
    words |= by_token if introspection else {"tokens": "", "by_token": ""}
    (folder / "oauth2.ext").write_text(_INTROSPECTION.format(url=introspection))
    (folder / "dovecot.conf").write_text(_CONFIG.format(**words))
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::{folder}/mail::\n")
    _give_away(folder)
    for path in folder.rglob("*"):
        _give_away(path)
    command: Sequence[str | Path] = [program, "-F", "-c", folder / "dovecot.conf"]
    if root:
        command = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command]
    log = folder / "started.log"
    process = started(command, log)
    try:
        until(
            lambda: process.poll() is not None or all(map(is_listening, ports)),
            seconds=60,
            what=f"dovecot to listen; it said: {log.read_text(errors='replace')}",
        )
        assert process.poll() is None, f"dovecot ended at once: {log.read_text(errors='replace')}"
        server.pid = process.pid
        yield server
    finally:
        end(process)
        reap("dovecot")
        shutil.rmtree(folder)


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, _NOBODY, _NOBODY)
