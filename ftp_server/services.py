"""What all sessions that came through one listener share; never does any of it itself."""

from collections.abc import Callable
from dataclasses import dataclass

from ftp_server.account import Account
from ftp_server.accounts import Accounts
from ftp_server.bans import Bans
from ftp_server.data_connection import PassivePorts
from ftp_server.deposits import Deposit
from ftp_server.loop import Chores, Workers
from ftp_server.protection import Protection
from ftp_server.receiving import Receiving
from ftp_server.views import View


@dataclass
class Services:
    """The parts of a server that its sessions use, and the ways of one listener.

    ``own_protection`` returns TLS for one session alone, or None when nobody needs that. ``implicit``: TLS comes
    before the greeting. ``write_only``: READ cannot log in here.
    """

    accounts: Accounts
    bans: Bans
    receiving: Receiving
    workers: Workers
    ports: PassivePorts
    view: Callable[[Account, str], View]
    protection: Protection
    own_protection: Callable[[], Protection | None]
    chores: Chores
    public_address: str | None
    room: Callable[[Account], str]
    deposited: Callable[[Deposit], None]
    receipts: Callable[[str, str], list[Deposit]]
    log_commands: bool = False
    implicit: bool = False
    write_only: bool = False
