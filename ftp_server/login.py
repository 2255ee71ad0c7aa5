"""Who a session belongs to and how it is protected; never touches a document."""

import logging
from typing import ClassVar

from ftp_server.account import Account
from ftp_server.control import ControlConnection
from ftp_server.data_connection import Opening, plain_address
from ftp_server.protection import Protection
from ftp_server.services import Services
from transfer.accounts import AccountKind

log = logging.getLogger("navette.server")

_TRIES = 3
_FAILED_PAUSE = 2.0  # seconds before a wrong password is answered


class Login(ControlConnection):
    """A control connection that knows its account, once somebody has logged in."""

    services: ClassVar[Services]
    account: Account | None = None
    own_protection: Protection | None = None
    protected = False
    opening: Opening | None = None

    @property
    def peer(self) -> str:
        """The address at the other end."""
        return plain_address(self.remote_ip)

    @property
    def owner(self) -> str:
        """The account's login, before that the address."""
        return self.account.name.login if self.account else self.peer

    def flush_account(self) -> None:
        """Forget who was logged in."""
        super().flush_account()
        self.account = None

    def ftp_PASS(self, line: str) -> None:
        """Check the password; what may take long, in threads where strangers make nobody wait but strangers."""
        if self.authenticated:
            self.respond("503 You are logged in already.")
        elif not self.username:
            self.respond("503 Say USER first.")
        else:
            known = self.services.accounts.recognise(self.username, line, self.peer)
            if known:
                self._log_in(known)
            else:
                self.let_go(lambda: self._check(self.username, line))

    def _check(self, login: str, password: str) -> None:
        self.services.chores.run(self._verify, login, password)

    def _verify(self, login: str, password: str) -> None:
        account: Account | None = None
        banned = False
        try:
            banned = not self.services.bans.may_try(self.peer)
            if not banned:
                account = self.services.accounts.verify(login, password, self.peer)
                if account:
                    self.services.bans.was_right(self.peer)
        finally:  # whatever went wrong, the session is answered
            self.workers.call(lambda: self._checked(account, banned))

    def _checked(self, account: Account | None, banned: bool) -> None:
        if account:
            self.resume(lambda: self._log_in(account))
        else:
            why = " why=banned" if banned else ""
            log.warning("login refused user=%s peer=%s%s", self.username[:40], self.peer, why)
            self.call_later(_FAILED_PAUSE, lambda: self.resume(lambda: self._refuse_login(banned)))

    def _log_in(self, account: Account) -> None:
        if account.tls_required and not self.is_tls:
            self.username = ""
            self.respond("530 This account is for FTPS only (AUTH TLS first).")
        elif self.services.write_only and account.name.kind is not AccountKind.WRITE:
            self.username = ""
            self.respond("530 This port is for scanners only.")
        else:
            self.account = account
            self.authenticated = True
            self.change_owner()
            self.welcome(account)
            self.respond("230 Welcome.")
            log.info("login user=%s peer=%s tls=%s", self.username, self.peer, "yes" if self.is_tls else "no")

    def welcome(self, account: Account) -> None:
        """Make ready for the account that logs in."""

    def refused(self, banned: bool) -> None:
        """Count a refused login; ``banned``: its password was not even looked at."""

    def _refuse_login(self, banned: bool) -> None:
        self.refused(banned)
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
            self.begin_tls()

    def begin_tls(self) -> None:
        """Protect the connection, by itself alone where data connections may have to prove that they belong."""
        self.own_protection = self.services.own_protection()
        self.protect(self.own_protection or self.services.protection)

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
            self.protected = line.upper() == "P"
            self.respond("200 Data connections are protected." if self.protected else "200 Data goes in the clear.")
