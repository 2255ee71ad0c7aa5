"""Sessions with scripted servers, and the codes of the failures they end with; never with a real server."""

import traceback
from collections.abc import Callable

import pytest
from scripted_server import ScriptedServer

from transfer.client_ini import Connection, Security
from transfer.failures import Failure
from transfer.ftp_session import FtpSession
from transfer.receipts import Proof, Receipt

PASSWORD = "Geheim-4711"
"""A password that no text of a failure may hold."""


def to(server: ScriptedServer, security: Security = Security.NONE, pinned: str | None = None) -> Connection:
    """Return the connection that reaches a scripted server."""
    return Connection("127.0.0.1", server.port, "WRITE_570013", PASSWORD, security, pinned)


def receipt(source: str) -> Receipt:
    """Return a receipt for a remote file that a scripted server is said to hold."""
    return Receipt(source, "stored", 3, "0" * 64, Proof.SIZE)


def code_of(action: Callable[[], object]) -> tuple[str, bool]:
    """Return the code of the failure that an action ends with, and whether trying again may help."""
    with pytest.raises(Failure) as caught:
        action()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in repr(vars(caught.value))
    return caught.value.code, caught.value.temporary


def opened(connection: Connection, timeout: float = 5) -> Callable[[], object]:
    """Return an action that opens a session and closes it."""
    return in_session(connection, lambda _: None, timeout)


def in_session(
    connection: Connection, step: Callable[[FtpSession], object], timeout: float = 5
) -> Callable[[], object]:
    """Return an action that takes one step in a session of its own."""

    def action() -> None:
        with FtpSession(connection, timeout) as session:
            step(session)

    return action
