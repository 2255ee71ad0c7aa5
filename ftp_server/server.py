"""Builds the server from its settings and runs it until it is told to stop; never makes an account."""

import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from pyftpdlib.ioloop import IOLoop

from ftp_server.account import Account
from ftp_server.accounts import Accounts
from ftp_server.bans import Bans
from ftp_server.board import Board
from ftp_server.carrying import Asked, Carrying
from ftp_server.certificate_choice import chosen, own_names
from ftp_server.certificates import Certificate, own_certificate
from ftp_server.collect_view import CollectView
from ftp_server.data_connection import PassivePorts
from ftp_server.database import Database
from ftp_server.deposit_view import DepositView
from ftp_server.deposits import Deposit, Deposits
from ftp_server.disk_alarm import DiskAlarm
from ftp_server.doorways import Doorways, Way, doorways
from ftp_server.file_session import FileSession
from ftp_server.folders import Folders, fiduciaries_of
from ftp_server.home import make_home
from ftp_server.home_lock import locked
from ftp_server.listener import Listener
from ftp_server.loop import Chores, Workers
from ftp_server.names import Names
from ftp_server.protection import Protection
from ftp_server.publishing import Publishing
from ftp_server.receiving import Receiving
from ftp_server.room import Room
from ftp_server.services import Services
from ftp_server.settling import Leftovers, Settling
from ftp_server.tally import CountedSession, Tally
from ftp_server.tracking import receipts
from ftp_server.trash import TRASH_DAYS, Trash
from ftp_server.views import View
from ftp_server.visitors import Visitors
from transfer.accounts import AccountKind
from transfer.failures import Failure

log = logging.getLogger("navette.server")

_LOGIN_DEADLINE = 30.0
_IDLE = 300.0
_HOLD = 10.0  # seconds an idle session holds a document back that it may still rename or delete
_LOOK = 1.0  # seconds between two looks whether to stop, at most
_SWEEP = 2.0
_ASKED = 0.2
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
    sessions: int = 10_000
    implicit_port: int | None = None
    old_printers_port: int | None = None
    safe: tuple[str, ...] = ()
    log_commands: bool = False
    trash_days: int = TRASH_DAYS

    @property
    def ports(self) -> dict[Way, int]:
        """The ports by which the server is reached, and how."""
        wanted = {
            Way.EXPLICIT: self.port,
            Way.IMPLICIT: self.implicit_port,
            Way.OLD_PRINTERS: self.old_printers_port,
        }
        return {way: port for way, port in wanted.items() if port is not None}


def database(home: Path) -> Database:
    """Open the server's database, made if it is missing and brought up to date."""
    make_home(home)
    found = opened(home)
    found.migrate()
    return found


def opened(home: Path) -> Database:
    """Open the server's database as it is."""
    return Database(f"sqlite:///{home / 'server.db'}")


@dataclass(frozen=True)
class Place:
    """The place of one process among those of a server whose home is prepared: its number from 0, what it shares."""

    number: int
    board: Board
    doorways: Doorways
    certificate: Certificate


def prepare(settings: ServerSettings, clock: Callable[[], float]) -> Certificate:
    """Sort out what an earlier run left behind, before any process serves; return the server's certificate."""
    with closing(database(settings.home)) as found:
        deposits, names = Deposits(found, Board(), clock), Names(Board())
        for fiduciary in sorted({account.name.fiduciary for account in Accounts(found, clock).list()}):
            folders = Folders.of(fiduciaries_of(settings.home), fiduciary)
            Leftovers(fiduciary, folders, deposits, names, clock()).sort()
        Carrying(found, fiduciaries_of(settings.home), clock, names, deposits).finish()
        deposits.close()
    if settings.old_printers_port is not None:
        own_certificate(settings.home, _names(settings), rsa=True)
    return _certificate(settings)


def _certificate(settings: ServerSettings) -> Certificate:
    return settings.certificate or chosen(settings.home, _names(settings))


def _names(settings: ServerSettings) -> list[str]:
    return own_names(settings.public_address, settings.host)


def alone(settings: ServerSettings, clock: Callable[[], float]) -> Place:
    """Return the place of a server that is one process."""
    (only,) = doorways(settings.host, settings.ports)
    return Place(0, Board(), only, prepare(settings, clock))


class Server:
    """A server that is ready to run: all of it, which prepares its home first, or one process at its ``place``.

    ``deposited`` is told of each document, after its 226 and in the session's thread.
    Raises ``server.port_taken`` when another program holds the port.
    """

    def __init__(
        self,
        settings: ServerSettings,
        clock: Callable[[], float] = time.time,
        reached: Callable[[str], None] = lambda _: None,
        deposited: Callable[[Deposit], None] = lambda _: None,
        place: Place | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = None if place else locked(settings.home)
        self._place = place or alone(settings, clock)
        self.certificate = self._place.certificate
        self._database = opened(settings.home)
        self.accounts = Accounts(self._database, clock)
        self._deposits = Deposits(self._database, self._place.board, clock)
        self._names = Names(self._place.board)
        self._root = fiduciaries_of(settings.home)
        self._folders = cache(partial(Folders.of, self._root))
        self._settling = Settling(reached)
        self._publishing = Publishing(self._deposits, self._names, self._settling, reached)
        self._receiving = Receiving(self._publishing, clock, reached)
        self._fingerprint = self.certificate.fingerprint()
        self._tally = Tally(settings.home, self._place.number, clock())
        self._deposited = self._tally.counting(deposited)
        self._bans = Bans(self._database, self._place.board, settings.safe, clock)
        self._bound = self.accounts.any_bound()
        self._loop = IOLoop()
        self._workers = Workers(self._loop, settings.transfers)
        self._stopping = threading.Event()
        self._disk_alarm = DiskAlarm()
        self._chores = Chores()
        self._visitors = Visitors(self._place.board)
        self._services = self._served()
        self._listeners = self._listen()
        self._loop.call_every(_SWEEP, self._sweep)
        self._loop.call_every(_SWEEP, lambda: self._chores.run(self._look))
        if self._place.number == 0:
            carrying = Carrying(self._database, self._root, clock, self._names, self._deposits, reached)
            self._loop.call_every(_ASKED, Asked(settings.home, carrying.finish, self._chores).look)
        self._loop.call_every(_PURGE, lambda: self._chores.run(self._purge))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        return self.address_of(Way.EXPLICIT)

    def address_of(self, way: Way) -> tuple[str, int]:
        """Host and port that the server listens on for sessions of one way."""
        host, port = self._listeners[way].address
        return str(host), int(port)

    def _sessions(self) -> list[FileSession]:
        return [session for listener in self._listeners.values() for session in listener.sessions]

    def run(self) -> None:
        """Serve until :meth:`stop`; transfers that run then come to their end."""
        log.info("ready on %s:%d, certificate %s", *self.address, self.certificate.fingerprint())
        self._tell()
        wait = _LOOK
        while not self._stopping.is_set():
            soonest = self._loop.loop(timeout=wait, blocking=False)  # seconds to what is scheduled next
            wait = _LOOK if soonest is None else min(soonest, _LOOK)
        log.info("stopping: no new sessions, transfers under way end first")
        for listener in self._listeners.values():
            listener.close()
        for session in self._sessions():
            session.leave("421 The server stops. Goodbye.")
        self._workers.wait(_LAST_TRANSFERS)
        for session in self._sessions():
            session.stop()
        self._workers.wait(_LAST_TRANSFERS)
        for session in self._sessions():
            session.close()
        self._chores.close()
        self._workers.close()
        self._loop.close()
        self._receiving.close()
        self._settling.close()
        self._deposits.close()
        self._database.close()
        self._tally.end()
        if self._lock:
            self._lock.close()
        log.info("stopped")

    def stop(self) -> None:
        """Ask the server to stop, from any thread or a signal."""
        self._stopping.set()
        self._workers.call(lambda: None)

    def reload(self) -> None:
        """Load the certificate anew for sessions that begin from now on; from any thread or a signal.

        Sessions that run keep theirs. One that cannot be used changes nothing, and ``server.certificate_refused`` is
        logged.
        """
        self._workers.call(self._reload)

    def _reload(self) -> None:
        try:
            certificate = _certificate(self.settings)
            services = replace(
                self._services,
                protection=certificate.protection(),
            )
            handlers = {way: self._handler(self._of_way(services, way)) for way in self._listeners}
        except (Failure, OSError) as error:  # ssl.SSLError is one
            log.error("server.certificate_refused %s", error)
            return
        self.certificate, self._services, self._fingerprint = certificate, services, certificate.fingerprint()
        for way, listener in self._listeners.items():
            listener.handler = handlers[way]
        self._tell()
        log.info("certificate loaded anew: %s", self._fingerprint)

    def _tell(self) -> None:
        self._tally.tell(self._sessions(), self._fingerprint, self._clock())

    def _listen(self) -> dict[Way, Listener]:
        ways = self._place.doorways.items()
        return {way: self._listener(self._handler(self._of_way(self._services, way)), sock) for way, sock in ways}

    def _served(self) -> Services:
        return Services(
            accounts=self.accounts,
            bans=self._bans,
            receiving=self._receiving,
            workers=self._workers,
            ports=PassivePorts(self.settings.passive_ports),
            view=self._view,
            protection=self.certificate.protection(),
            own_protection=self._own_protection,
            chores=self._chores,
            public_address=self.settings.public_address,
            room=Room(self.settings.home, self._database).refusal,
            deposited=self._deposited,
            receipts=self._receipts,
            log_commands=self.settings.log_commands,
        )

    def _own_protection(self) -> Protection | None:
        try:
            return self.certificate.protection() if self._bound else None
        except OSError as error:  # somebody is replacing the files: what all share still stands
            log.warning("server.certificate_refused %s", error)
            return None

    def _of_way(self, services: Services, way: Way) -> Services:
        if way is Way.IMPLICIT:
            return replace(services, implicit=True)
        if way is Way.OLD_PRINTERS:
            old = own_certificate(self.settings.home, _names(self.settings), rsa=True)
            return replace(
                services,
                protection=old.old_protection(),
                own_protection=lambda: None,
                write_only=True,
            )
        return services

    def _handler(self, services: Services) -> type[CountedSession]:
        return type("ServerSession", (CountedSession,), {"services": services, "tally": self._tally})

    def _listener(self, handler: type[CountedSession], listening: socket.socket) -> Listener:
        return Listener(listening, handler, self._loop, self._visitors, self.settings.sessions)

    def _receipts(self, login: str, name_or_sha256: str) -> list[Deposit]:
        self._deposits.flush()
        return receipts(self._database, login, name_or_sha256)

    def _view(self, account: Account, peer: str) -> View:
        folders = self._folders(account.name.fiduciary)
        if account.name.kind is AccountKind.WRITE:
            return DepositView(account, peer, folders, self._publishing, self._clock, self._deposited)
        return CollectView(account, folders, self._publishing, self._clock)

    def _purge(self) -> None:
        """Empty the trash of what is old, and forget the retry keys that are."""
        with self._place.board:
            self._deposits.forget_old_keys()
        if self._place.number == 0:
            purged = Trash(self._database, self._root, self._clock).purge(self.settings.trash_days)
            log.info("trash: %d old documents removed for good", purged)

    def _sweep(self) -> None:
        """End sessions that never log in, and those that say nothing for long; release what idle ones hold back."""
        now = time.monotonic()
        for session in self._sessions():
            idle = 0.0 if session.lent else now - session.last_active
            if idle > _IDLE or (not session.authenticated and now - session.began > _LOGIN_DEADLINE):
                session.leave("421 You said nothing for too long. Goodbye.")
            elif idle > _HOLD and session.holds:
                session.visit(session.finish)
        self._tell()

    def _look(self) -> None:
        """See what changed behind the server's back: accounts whose sessions end, bans lifted, the disk."""
        self._bound = self.accounts.any_bound()
        self._bans.refresh()
        if self._place.number == 0:
            self._disk_alarm.look(shutil.disk_usage(self.settings.home).free, time.monotonic())
        stamps = self.accounts.stamps()
        self._workers.call(lambda: self._end_changed(stamps))

    def _end_changed(self, stamps: dict[str, str]) -> None:
        for session in self._sessions():
            account = session.account
            if account and stamps.get(account.name.login) != account.stamp:
                log.info("session ended user=%s peer=%s: the account changed", account.name.login, session.peer)
                session.stop()
                session.leave("421 This account was changed; please log in again.")


def stop_on_signals(server: Server) -> None:
    """Stop the server on SIGINT and SIGTERM; on SIGHUP load its certificate anew."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    reload_on_signal(server.reload, server.stop)


def reload_on_signal(reload: Callable[[], None], stop: Callable[[], None]) -> None:
    """Call ``reload`` on SIGHUP, but ``stop`` when the terminal a server was started on is gone: that sends it too."""
    if sys.platform == "win32":
        return
    on_terminal = _has_terminal()
    signal.signal(signal.SIGHUP, lambda *_: stop() if on_terminal and not _has_terminal() else reload())


def _has_terminal() -> bool:
    return os.isatty(sys.__stdin__.fileno()) if sys.__stdin__ else False
