"""Tells a sender what became of a document: when it was received, and when it was collected; never of another's."""

import re
from datetime import UTC, datetime

from sqlalchemy import and_, or_, select

from ftp_server.database import Database
from ftp_server.deposits import Deposit
from ftp_server.folders import parts_of, shown
from ftp_server.tables import deposits
from transfer.accounts import AccountName
from transfer.remote_layout import file_parts

LIMIT = 20
"""Most receipts told at once: of a name that a scanner uses each day, the newest are asked for."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def receipts(database: Database, login: str, name_or_sha256: str) -> list[Deposit]:
    """Return an account's own deposits with a stored name, a path as its sessions see it, or a SHA-256, newest first.

    At most 20. Rows that are written a moment after their 226 are seen once they are there: a running server flushes
    its :class:`~ftp_server.deposits.Deposits` first. Raises ``account.bad_login``, and ``layout.too_deep`` for a path.
    """
    account = AccountName.parse(login)
    root = account.dossier
    folder, name = file_parts(name_or_sha256)
    named = and_(deposits.c.fiduciary == account.fiduciary, deposits.c.name == name)  # as the index has them
    if "/" in name_or_sha256.replace("\\", "/"):
        named = and_(named, deposits.c.folder == shown((*([root] if root else []), *folder)))
    if _SHA256.fullmatch(name_or_sha256):
        named = or_(named, deposits.c.sha256 == name_or_sha256.lower())
    chosen = select(deposits).where(deposits.c.login == login, named)
    with database.read() as connection:
        rows = connection.execute(chosen.order_by(deposits.c.received_at.desc()).limit(LIMIT)).all()
    return [Deposit(**row._mapping) for row in rows]


def receipt_lines(deposit: Deposit) -> list[str]:
    """Return what is known of a deposit as lines of ``Name: value``, times in UTC as ISO 8601."""
    collected = "not yet" if deposit.collected_at is None else iso(deposit.collected_at)
    return [
        f"Path: {stored_path(deposit)}",
        f"Received: {iso(deposit.received_at)}",
        f"Size: {deposit.size}",
        f"SHA-256: {deposit.sha256}",
        f"Collected: {collected}",
    ]


def stored_path(deposit: Deposit) -> str:
    """Return where a document is published, from the fiduciary's root."""
    return shown(parts_of(deposit.folder), deposit.name)


def iso(seconds: float) -> str:
    """Return a time as ``2026-11-24T07:23:06Z``."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
