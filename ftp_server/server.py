"""Builds the server from its settings and runs it until it is told to stop; never makes an account."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from ftp_server.accounts import Account, Accounts
from ftp_server.certificates import Certificate, own_certificate
from ftp_server.data_connection import PassivePorts, plain_address
from ftp_server.database import Database
from ftp_server.deposits import Deposit, Deposits
from ftp_server.file_session import FileSession
from ftp_server.folders import Folders
from ftp_server.loop import Workers
from ftp_server.names import Names
from ftp_server.receiving import Receiving
from ftp_server.room import has_room
from ftp_server.session import Services, Session
from ftp_server.settling import Leftovers, Settling
from ftp_server.views import CollectView, DepositView, View
from transfer.accounts import AccountKind
from transfer.durable import make_folder
from transfer.failures import PermanentFailure

log = logging.getLogger("navette.server")

_LOGIN_DEADLINE = 30.0
_IDLE = 300.0
_TRASH_DAYS = 30
_SWEEP = 5.0
_PURGE = 3600.0
_LAST_TRANSFERS = 20.0


@dataclass(frozen=True)
class ServerSettings:
    """How a server runs: ``home`` is its folder; ``public_address`` is what PASV tells (a NAT's outside address)."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 2121
    passive_ports: range | None = None
    public_address: str | None = None
    certificate: Certificate | None = None
    transfers: int = 128
    sessions: int = 512


def database(home: Path) -> Database:
    """Open the server's database, made if it is missing."""
    make_folder(home)
    return Database(f"sqlite:///{home / 'server.db'}")


class Server:
    """A server that is ready to run; the constructor sorts out what an earlier one left behind, then binds its port.

    ``deposited`` is told of each document, after its 226 and in the event loop's thread: it must not wait.
    Raises ``server.port_taken`` when another program holds the port.
    """

    def __init__(
        self,
        settings: ServerSettings,
        clock: Callable[[], float] = time.time,
        reached: Callable[[str], None] = lambda _: None,
        deposited: Callable[[Deposit], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._database = database(settings.home)
        self.accounts = Accounts(self._database, clock)
        self._deposits = Deposits(self._database, clock)
        self._names = Names()
        self._folders = cache(lambda fiduciary: Folders.of(settings.home / "fiduciaries", fiduciary))
        for fiduciary in sorted({account.name.fiduciary for account in self.accounts.list()}):
            Leftovers(fiduciary, self._folders(fiduciary), self._deposits, self._names, clock()).sort()
        self._settling = Settling(reached)
        self.certificate = settings.certificate or own_certificate(
            settings.home, list(dict.fromkeys(filter(None, [settings.public_address, settings.host, "localhost"])))
        )
        self._receiving = Receiving(self._deposits, self._names, self._settling, clock, reached)
        self._loop = IOLoop()
        self._workers = Workers(self._loop, settings.transfers)
        self._stopping = threading.Event()
        self._ftp = self._listen(deposited)
        self._loop.call_every(_SWEEP, self._sweep)
        self._loop.call_every(_PURGE, self._purge)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        host, port = self._ftp.address
        return str(host), int(port)

    def run(self) -> None:
        """Serve until :meth:`stop`; transfers that run then come to their end."""
        log.info("ready on %s:%d, certificate %s", *self.address, self.certificate.fingerprint())
        while not self._stopping.is_set() and self._loop.socket_map:
            self._loop.loop(timeout=1.0, blocking=False)
        log.info("stopping: no new sessions, transfers under way end first")
        self._ftp.close()
        self._workers.wait(_LAST_TRANSFERS)
        for session in self._sessions():
            session.abort()
        self._workers.wait(_LAST_TRANSFERS)
        self._loop.close()
        self._receiving.close()
        self._settling.close()
        self._deposits.close()
        self._database.close()
        log.info("stopped")

    def stop(self) -> None:
        """Ask the server to stop, from any thread or a signal."""
        self._stopping.set()
        self._workers.call(lambda: None)

    def _listen(self, deposited: Callable[[Deposit], None]) -> Any:
        services = Services(
            accounts=self.accounts,
            receiving=self._receiving,
            workers=self._workers,
            ports=PassivePorts(self.settings.passive_ports),
            folders=self._folders,
            view=self._view,
            control_context=self.certificate.control_context(),
            data_context=self.certificate.data_context(),
            public_address=self.settings.public_address,
            has_room=partial(has_room, self.settings.home),
            deposited=deposited,
        )
        handler = type("ServerSession", (FileSession,), {"services": services})
        try:
            server = FTPServer((self.settings.host, self.settings.port), handler, self._loop)
        except OSError as error:
            raise PermanentFailure("server.port_taken", host=self.settings.host, port=self.settings.port) from error
        server.max_cons = self.settings.sessions
        return server

    def _view(self, account: Account, peer: str) -> View:
        if account.name.kind is AccountKind.WRITE:
            return DepositView(account, plain_address(peer))
        folders = self._folders(account.name.fiduciary)
        return CollectView(account, folders, self._deposits, self._settling, self._names, self._clock)

    def _sessions(self) -> list[Session]:
        return [each for each in self._loop.socket_map.values() if isinstance(each, Session)]

    def _purge(self) -> None:
        """Empty the trash of what is old, in a worker thread, and forget the retry keys that are."""
        for fiduciary in {account.name.fiduciary for account in self.accounts.list()}:
            self._workers.run(partial(purge_trash, self._folders(fiduciary), self._clock()), _noted)
        self._workers.run(self._deposits.forget_old_keys, lambda done: done.result())

    def _sweep(self) -> None:
        """End sessions that never log in, and those that say nothing for long."""
        now = time.monotonic()
        for session in self._sessions():
            idle = now - session.last_active
            late = not session.authenticated and time.time() - session.started > _LOGIN_DEADLINE
            if not session.busy and (idle > _IDLE or late):
                session.respond("421 You said nothing for too long. Goodbye.")
                session.close_when_done()


def _noted(purged: "Future[int]") -> None:
    log.info("trash: %d old documents removed for good", purged.result())


def stop_on_signals(server: Server) -> None:
    """Stop the server on SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())


def purge_trash(folders: Folders, now: float, days: int = _TRASH_DAYS) -> int:
    """Remove what was put in the trash more than ``days`` days ago; return how many documents that were."""
    old = [path for path in folders.trash.iterdir() if now - path.stat().st_ctime > days * 86_400]
    for path in old:
        path.unlink()
    return len(old)
