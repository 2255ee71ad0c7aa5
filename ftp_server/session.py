"""One FTP session: checks rights and runs its commands one after the other; never touches a file itself."""

import contextlib
import logging
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

from ftp_server.account import Account
from ftp_server.commands import ALIASES, COMMANDS
from ftp_server.data_connection import Active, DataConnection, NotOpened, Opening, Passive, plain_address
from ftp_server.login import Login
from ftp_server.refused import Refused
from ftp_server.rights import RIGHTS, allowed
from ftp_server.views import View
from transfer.failures import Failure

log = logging.getLogger("navette.server")

_CONTROL = re.compile("[\0\r\x1b]")
_SECRET = re.compile(r"(PASS|ACCT) .*", re.IGNORECASE | re.DOTALL)


class Session(Login):
    """A session in the worker that has it at the moment; the commands on files are in a subclass."""

    banner = "Navette ready."
    view: View | None = None
    announced: int | None = None
    restart = 0
    opening: Opening | None = None
    transferring = False
    _aborted = False
    _listener: Passive | None = None

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self.workers = self.services.workers
        super().__init__(conn, server, ioloop)

    def handle(self) -> None:
        """Greet, on a port of implicit TLS as soon as that stands."""
        if self.services.implicit:
            self.begin_tls()
            self.protected = True
        else:
            self.greet()

    def greet(self) -> None:
        """Say who answers."""
        self.respond(f"220 {self.banner}")

    def secured(self) -> None:
        """Greet now, where TLS came first."""
        if self.services.implicit:
            self.greet()

    def welcome(self, account: Account) -> None:
        """Give the account its view."""
        self.view = self.services.view(account, self.peer)

    # --- lines

    def run_line(self, line: bytes) -> None:
        """Check a command and run it."""
        text = _decoded(line)
        if self.services.log_commands:
            log.info("command user=%s peer=%s line=%s", self.username, self.peer, ascii(_SECRET.sub(r"\1 ***", text)))
        if _CONTROL.search(text):
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

    def following(self, name: str, most: int) -> list[str]:
        """Take the arguments of the same command's lines that were sent ahead, for what is cheaper done at once."""
        taken: list[str] = []
        while self._lines and len(taken) < most:
            command, _, argument = _decoded(self._lines[0]).partition(" ")
            if command.upper() != name or not argument or _CONTROL.search(argument):
                break
            self._lines.popleft()
            taken.append(argument)
        return taken

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
        if self.is_tls and not self.protected:
            raise Refused("521 Please protect the data connection too (PBSZ 0, PROT P).")
        self.transferring = True
        try:
            self.respond(opening_line)
            yield self._opened(opening.open(self.remote_ip, self))
        finally:
            self.transferring = False

    def _opened(self, sock: socket.socket) -> DataConnection:
        bound = bool(self.account and self.account.bound)
        if not self.protected:
            if bound:
                sock.close()
                raise Refused("522 This account must protect its data connections.")
            return DataConnection(sock, self, None)
        return DataConnection(sock, self, self.own_protection or self.services.protection, resumed=bound)

    def abort(self) -> None:
        """End the transfer that runs; its own reply comes first."""
        self._aborted = True
        self.stop()

    # --- the data connection

    def _make_eport(self, ip: str, port: int) -> None:
        if plain_address(ip) != self.peer or port < 1024:
            self.respond("501 Data connections go to your own address only.")
            return
        if self.socket.getsockname()[:2] == (ip, port):
            self.respond("501 Data connections do not go to the server itself.")
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
        self.get_ready()

    def get_ready(self) -> None:
        """Do what a coming transfer needs, while the other side opens its data connection."""

    # --- the session's end

    def flush_account(self) -> None:
        """Forget who was logged in."""
        self.finish()
        super().flush_account()
        self.view = self.opening = self.announced = None

    def close(self) -> None:
        """Close, and let the passive port be lent again."""
        self.give_port_back()
        super().close()

    def give_port_back(self) -> None:
        """Let the passive port be lent again."""
        if self._listener is not None:
            self.services.ports.take_back(self._listener)
            self._listener = None


def _decoded(line: bytes) -> str:
    """Read a line as UTF-8, else as the Western Windows code page, never losing a character."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        with contextlib.suppress(UnicodeDecodeError):
            return line.decode("cp1252")
        return line.decode("latin-1")
