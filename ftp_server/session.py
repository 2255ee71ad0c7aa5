"""One FTP session: logs in, checks rights, runs its commands one after the other; never touches a file itself."""

import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ClassVar

from ftp_server.accounts import Account, Accounts
from ftp_server.commands import ALIASES, COMMANDS
from ftp_server.control import ControlConnection
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

_TRIES = 3
_FAILED_PAUSE = 2.0  # seconds before a wrong password is answered


@dataclass
class Services:
    """What all sessions of a server share."""

    accounts: Accounts
    receiving: Receiving
    workers: Workers
    ports: PassivePorts
    folders: Callable[[str], Folders]
    view: Callable[[Account, str], View]
    control_context: ssl.SSLContext
    data_context: ssl.SSLContext
    logins: Executor
    public_address: str | None
    has_room: Callable[[], bool]
    deposited: Callable[[Deposit], None]


class Session(ControlConnection):
    """A session in the worker that has it at the moment; the commands on files are in a subclass."""

    services: ClassVar[Services]
    banner = "Navette ready."

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self.workers = self.services.workers
        self.account: Account | None = None
        self.view: View | None = None
        self.announced: int | None = None
        self.restart = 0
        self.opening: Opening | None = None
        self.transferring = False
        self._protected = False
        self._aborted = False
        self._listener: Passive | None = None
        super().__init__(conn, server, ioloop)

    # --- lines

    def run_line(self, line: bytes) -> None:
        """Check a command and run it."""
        text = _decoded(line)
        if "\0" in text or "\r" in text or "\x1b" in text:
            self.respond("501 Control characters are not allowed.")
            return
        name, _, argument = text.partition(" ")
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
        if self._aborted and not self.transferring:
            self._aborted = self._stopped = False
            self.respond("226 Aborted.")

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

    # --- transfers

    @contextlib.contextmanager
    def transfer(self, opening_line: str) -> Iterator[DataConnection]:
        """Open the data connection that PASV or PORT prepared."""
        opening, self.opening = self.opening, None
        if opening is None:
            raise Refused("425 Say PASV or PORT first.")
        if self.is_tls and not self._protected:
            raise Refused("521 Please protect the data connection too (PBSZ 0, PROT P).")
        context = self.services.data_context if self._protected else None
        self.transferring = True
        try:
            self.respond(opening_line)
            yield DataConnection(opening.open(self.remote_ip, self), self, context)
        finally:
            self.transferring = False

    def abort(self) -> None:
        """End the transfer that runs; its own reply comes first."""
        self._aborted = True
        self.stop()

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

    # --- the session's end

    def flush_account(self) -> None:
        """Forget who was logged in."""
        super().flush_account()
        self.account = self.view = self.opening = self.announced = None

    def close(self) -> None:
        """Close, and let the passive port be lent again."""
        if self._listener is not None:
            self.services.ports.take_back(self._listener)
            self._listener = None
        super().close()

    # --- login and protection

    def ftp_PASS(self, line: str) -> None:
        """Check the password, which may take long, in a thread where strangers make nobody wait but strangers."""
        if self.authenticated:
            self.respond("503 You are logged in already.")
        elif not self.username:
            self.respond("503 Say USER first.")
        else:
            login = self.username
            self.let_go(lambda: self._check(login, line))

    def _check(self, login: str, password: str) -> None:
        self.services.logins.submit(self._verify, login, password)

    def _verify(self, login: str, password: str) -> None:
        account: Account | None = None
        try:
            account = self.services.accounts.verify(login, password)
        except Exception:  # the outermost loop of a check
            log.exception("session.failed user=%s peer=%s", login[:40], self.remote_ip)
        self.workers.call(lambda: self._checked(account))

    def _checked(self, account: Account | None) -> None:
        if account:
            self.resume(lambda: self._log_in(account))
        else:
            log.warning("login refused user=%s peer=%s", self.username[:40], self.remote_ip)
            self.call_later(_FAILED_PAUSE, lambda: self.resume(self._refuse_login))

    def _log_in(self, account: Account) -> None:
        if account.tls_required and not self.is_tls:
            self.username = ""
            self.respond("530 This account is for FTPS only (AUTH TLS first).")
            return
        self.account = account
        self.authenticated = True
        self.view = self.services.view(account, plain_address(self.remote_ip))
        self.respond("230 Welcome.")
        log.info("login user=%s peer=%s tls=%s", self.username, self.remote_ip, "yes" if self.is_tls else "no")

    def _refuse_login(self) -> None:
        self.attempted_logins += 1
        self.username = ""
        self.respond("530 Login or password is wrong.")
        self.ending = self.attempted_logins >= _TRIES

    def ftp_AUTH(self, line: str) -> None:
        """Begin TLS; commands sent ahead in clear text are never run inside it."""
        if self.has_unread:
            self.respond("503 Commands must not be sent ahead of TLS. Goodbye.")
            self.ending = True
        elif self.is_tls:
            self.respond("503 This session is protected already.")
        elif self.authenticated:
            self.respond("503 TLS must come before the login.")
        elif line.upper() not in {"TLS", "TLS-C", "SSL", "TLS-P"}:
            self.respond("504 Only TLS.")
        else:
            self.respond("234 Go on with TLS.")
            self.protect(self.services.control_context)

    def ftp_PBSZ(self, line: str) -> None:
        """Accept what has to come before PROT: the size of TLS's own buffer is always 0."""
        del line
        self.respond("200 PBSZ=0." if self.is_tls else "503 Say AUTH TLS first.")

    def ftp_PROT(self, line: str) -> None:
        """Change the protection; a data connection prepared under the old one is dropped."""
        self.opening = None
        if not self.is_tls:
            self.respond("503 Say AUTH TLS first.")
        elif line.upper() not in {"C", "P"}:
            self.respond("536 Only C (clear) and P (private).")
        else:
            self._protected = line.upper() == "P"
            self.respond("200 Data connections are protected." if self._protected else "200 Data goes in the clear.")


def _decoded(line: bytes) -> str:
    """Read a line as UTF-8, else as the Western Windows code page, never losing a character."""
    for encoding in ("utf-8", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return line.decode(encoding)
    return line.decode("latin-1")
