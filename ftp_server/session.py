"""One FTP session in the event loop: reads commands, checks rights, hands transfers to workers; never waits itself."""

import contextlib
import logging
import re
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from OpenSSL import SSL
from pyftpdlib.handlers import TLS_FTPHandler

from ftp_server.accounts import Account, Accounts
from ftp_server.commands import ALIASES, COMMANDS
from ftp_server.data_connection import (
    Active,
    DataConnection,
    NotOpened,
    Opening,
    Passive,
    PassivePorts,
    plain_address,
)
from ftp_server.deposits import Deposit
from ftp_server.folders import Folders
from ftp_server.loop import Workers
from ftp_server.receiving import Receiving
from ftp_server.rights import RIGHTS, allowed
from ftp_server.views import Refused, View
from transfer.failures import Failure

log = logging.getLogger("navette.server")

LINE_BYTES = 2048
_TRIES = 3
_FAILED_PAUSE = 2.0  # seconds before a wrong password is answered
_WAITING_LINES = 1000
_TELNET = re.compile(rb"^(?:\xff[\xf0-\xff])+")
_T = TypeVar("_T")


@dataclass
class Services:
    """What all sessions of a server share."""

    accounts: Accounts
    receiving: Receiving
    workers: Workers
    ports: PassivePorts
    folders: Callable[[str], Folders]
    view: Callable[[Account, str], View]
    control_context: SSL.Context
    data_context: ssl.SSLContext
    public_address: str | None
    has_room: Callable[[], bool]
    deposited: Callable[[Deposit], None]


class Session(TLS_FTPHandler):
    """The control connection of one session. Commands that wait for a transfer are kept in order until it is done."""

    services: ClassVar[Services]
    banner = "Navette ready."
    timeout = 0  # the server's sweeper ends idle sessions
    tcp_no_delay = True

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self._in_buffer: list[bytes] = []
        self._in_buffer_len = 0
        self.control_lost = threading.Event()
        self.account: Account | None = None
        self.view: View | None = None
        self.busy = False
        self.last_active = time.monotonic()
        self.announced: int | None = None
        self.restart = 0
        self.opening: Opening | None = None
        self._stop = threading.Event()
        self._aborted = False
        self._listener: Passive | None = None
        self._lines: deque[bytes] = deque()
        super().__init__(conn, server, ioloop)
        self.set_terminator(b"\n")  # some devices end lines without a carriage return

    @classmethod
    def get_ssl_context(cls) -> SSL.Context:
        """Return the control connection's context."""
        return cls.services.control_context

    # --- lines

    def collect_incoming_data(self, data: bytes) -> None:
        """Gather a line; one that is too long ends the session, so that its tail is never run as a command."""
        self._in_buffer.append(data)
        self._in_buffer_len += len(data)
        if self._in_buffer_len > LINE_BYTES and not self._closing:
            self._in_buffer, self._in_buffer_len, self.ac_in_buffer = [], 0, b""
            self.respond("500 This line is too long. Goodbye.")
            self.close_when_done()

    def found_terminator(self) -> None:
        """Run a line, or keep it while a transfer or a password check is under way (but ABOR and STAT act at once)."""
        line = _TELNET.sub(b"", b"".join(self._in_buffer)).rstrip(b"\r")
        self._in_buffer, self._in_buffer_len = [], 0
        self.last_active = time.monotonic()
        if self._closing or self._closed:
            return
        if not self.busy or line[:4].upper() in {b"ABOR", b"STAT"}:
            self._run_line(line)
        elif len(self._lines) < _WAITING_LINES:
            self._lines.append(line)
        else:
            self.respond("421 Too many commands at once. Goodbye.")
            self.close_when_done()

    def decode(self, bytes: bytes) -> str:  # noqa: A002  (pyftpdlib's name)
        """Read a line as UTF-8, else as the Western Windows code page, never losing a character."""
        for encoding in ("utf-8", "cp1252"):
            with contextlib.suppress(UnicodeDecodeError):
                return bytes.decode(encoding)
        return bytes.decode("latin-1")

    def _run_line(self, raw: bytes) -> None:
        line = self.decode(raw)
        if "\0" in line or "\r" in line or "\x1b" in line:
            self.respond("501 Control characters are not allowed.")
            return
        name, _, argument = line.partition(" ")
        name = ALIASES.get(name.upper(), name.upper())
        command = COMMANDS.get(name)
        if command is None:
            self.respond("500 There is no such command.")
        elif command.login and not self.account:
            self.respond("530 Log in with USER and PASS first.")
        elif command.argument and not argument:
            self.respond("501 This command needs an argument.")
        elif self.account and not allowed(name, self.account.name.kind):
            self.respond(f"550 Not for this account: {RIGHTS[name].reason}.")
        else:
            self._answer(lambda: getattr(self, f"ftp_{name}")(argument))

    def _answer(self, action: Callable[[], None]) -> None:
        """Run an action that replies; every refusal becomes its reply, and what nobody foresaw is logged."""
        try:
            action()
        except (NotOpened, Refused) as refused:
            self.respond(refused.reply)
        except Failure as failure:
            self.respond(f"553 Not allowed ({failure.code}).")
        except Exception:  # the outermost loop of a session
            log.exception("session.failed user=%s peer=%s", self.username, self.remote_ip)
            self.respond("451 The server could not do this; it has noted why. Please keep your file.")

    def respond(self, resp: str, logfun: object = None) -> None:
        """Send a reply."""
        del logfun
        self.push(resp + "\r\n")

    def log(self, msg: str, logfun: object = None) -> None:
        """Leave pyftpdlib's own remarks out: what happened to logins and documents is logged where it happens."""

    # --- work in threads

    def work(self, work: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Run ``work`` in a worker thread and ``then`` with its result; commands that come meanwhile wait."""
        self.busy = True
        self.services.workers.run(work, lambda future: self._worked(future, then))

    def _worked(self, future: "Future[_T]", then: Callable[[_T], None]) -> None:
        self.busy = False
        self.last_active = time.monotonic()
        if self._closed:  # the sender is gone, but what it sent still has its outcome; replies now go nowhere
            self._drop_listener()
        self._answer(lambda: then(future.result()))
        if self._aborted:
            self._aborted = False
            self.respond("226 Aborted.")
        while self._lines and not self.busy and not self._closed and not self._closing:
            self._run_line(self._lines.popleft())

    def transfer(self, opening_line: str, use: Callable[[DataConnection], _T], then: Callable[[_T], None]) -> None:
        """Open the data connection that PASV or PORT prepared and let ``use`` work with it, in a worker thread."""
        opening, self.opening = self.opening, None
        if opening is None:
            raise Refused("425 Say PASV or PORT first.")
        if self._ssl_established and not self._prot:
            raise Refused("521 Please protect the data connection too (PBSZ 0, PROT P).")
        context = self.services.data_context if self._prot else None
        self._stop = stop = threading.Event()
        self.respond(opening_line)
        self.work(lambda: use(DataConnection(opening.open(self.remote_ip, stop), stop, context)), then)

    def abort(self) -> None:
        """End the transfer that runs; its own reply comes first."""
        self._aborted = True
        self._stop.set()

    # --- the data connection

    def _make_eport(self, ip: str, port: int) -> None:
        if plain_address(ip) != plain_address(self.remote_ip) or port < 1024:
            self.respond("501 Data connections go to your own address only.")
            return
        self.opening = Active(ip, port)
        self.respond("200 I connect when the transfer begins.")

    def _make_epasv(self, extmode: bool = False) -> None:
        if self._listener is None:
            local = self.socket.getsockname()[0]
            try:
                self._listener = self.services.ports.listen(local, self.socket.family)
            except OSError:
                self.respond("425 No port is free for a data connection; please try again in a moment.")
                return
        self._listener.drop_strays()
        self.opening = self._listener
        port = self._listener.port
        if extmode:
            self.respond(f"229 Entering extended passive mode (|||{port}|).")
        else:
            address = (self.services.public_address or self._listener.host).replace(".", ",")
            self.respond(f"227 Entering passive mode ({address},{port // 256},{port % 256}).")

    def _drop_listener(self) -> None:
        if self._listener is not None:
            self.services.ports.take_back(self._listener)
            self._listener = None

    # --- the session's end

    def flush_account(self) -> None:
        """Forget who was logged in."""
        super().flush_account()
        self.account = self.view = self.opening = self.announced = None

    def close(self) -> None:
        """Close; a deposit under way is received to its end, a download is not."""
        self.control_lost.set()
        if self.account and not allowed("STOR", self.account.name.kind):
            self._stop.set()
        if not self.busy:
            self._drop_listener()
        super().close()

    # --- login and protection

    def ftp_PASS(self, line: str) -> None:
        """Check the password in a worker thread."""
        if self.authenticated:
            self.respond("503 You are logged in already.")
        elif not self.username:
            self.respond("503 Say USER first.")
        else:
            login, tls = self.username, self._ssl_established
            self.work(lambda: self.services.accounts.verify(login, line), lambda found: self._checked(found, tls))

    def _checked(self, account: Account | None, tls: bool) -> None:
        if account and account.tls_required and not tls:
            self.username = ""
            self.respond("530 This account is for FTPS only (AUTH TLS first).")
        elif account:
            self.account = account
            self.authenticated = True
            self.view = self.services.view(account, plain_address(self.remote_ip))
            self.respond("230 Welcome.")
            log.info("login user=%s peer=%s tls=%s", self.username, self.remote_ip, "yes" if tls else "no")
        else:
            log.warning("login refused user=%s peer=%s", self.username[:40], self.remote_ip)
            self.busy = True
            self.call_later(_FAILED_PAUSE, self._refuse_login)

    def _refuse_login(self) -> None:
        self.attempted_logins += 1
        self.username = ""
        self.respond("530 Login or password is wrong.")
        if self.attempted_logins >= _TRIES:
            self.close_when_done()
        done: Future[None] = Future()
        done.set_result(None)
        self._worked(done, lambda _: None)

    def ftp_AUTH(self, line: str) -> None:
        """Begin TLS; commands sent ahead in clear text are never run inside it."""
        if self.ac_in_buffer or self._lines:
            self.respond("503 Commands must not be sent ahead of TLS. Goodbye.")
            self.close_when_done()
        elif self.authenticated:
            self.respond("503 TLS must come before the login.")
        else:
            super().ftp_AUTH(line)

    def ftp_PROT(self, line: str) -> None:
        """Change the protection; a data connection prepared under the old one is dropped."""
        self.opening = None
        super().ftp_PROT(line)
