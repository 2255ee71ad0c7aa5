"""The sessions of people in the console, as rows that can be listed and ended; never holds a session's own word."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from dossiers import tables, users
from dossiers.firm import Firm
from dossiers.users import User

LIFE = timedelta(hours=12)
"""A session ends that long after its beginning,"""

IDLE = timedelta(hours=2)
"""and that long after its last page."""

_SEEN = timedelta(minutes=1)  # how exact the moment of the last page is kept
_sessions = tables.user_sessions


@dataclass(frozen=True)
class Session:
    """A session: whose it is, since when, when it was last used, and from where; ``id`` names it in a list."""

    id: str
    user: int
    began: datetime
    seen: datetime
    address: str
    browser: str


def begin(firm: Firm, user: int, address: str, browser: str) -> str:
    """Begin a session and return its word, which only the browser keeps; sessions that are over are swept out."""
    word = secrets.token_urlsafe(32)
    moment = firm.clock()
    values = {"token_hash": _hash(word), "user": user, "began": moment, "seen": moment, "expires": moment + LIFE}
    values |= {"address": address[:64], "browser": browser[:200]}
    with firm.database.write() as connection:
        connection.execute(delete(_sessions).where(_sessions.c.expires <= moment))
        connection.execute(insert(_sessions).values(values))
    return word


def find(firm: Firm, word: str) -> tuple[Session, User] | None:
    """Return the session that a browser's word opens, with its user; None when it is over or never was."""
    moment = firm.clock()
    lasting = _sessions.c.token_hash == _hash(word), _sessions.c.expires > moment, _sessions.c.seen > moment - IDLE
    with firm.database.read() as connection:
        row = connection.execute(select(_sessions).where(*lasting)).one_or_none()
    if row is None:
        return None
    user = users.find(firm, row.user)
    if user.closed is not None:
        return None
    if moment - row.seen > _SEEN:
        with firm.database.write() as connection:
            connection.execute(update(_sessions).where(lasting[0]).values(seen=moment))
    return Session(row.token_hash, row.user, row.began, row.seen, row.address, row.browser), user


def every(firm: Firm, user: int | None = None) -> list[Session]:
    """Return the sessions that last, of one user or of all, the last used first."""
    moment = firm.clock()
    query = select(_sessions).where(_sessions.c.expires > moment, _sessions.c.seen > moment - IDLE)
    if user is not None:
        query = query.where(_sessions.c.user == user)
    with firm.database.read() as connection:
        rows = connection.execute(query.order_by(_sessions.c.seen.desc())).all()
    return [Session(row.token_hash, row.user, row.began, row.seen, row.address, row.browser) for row in rows]


def end(firm: Firm, session: str, user: int | None = None) -> None:
    """End a session by its ``id``; with ``user`` only one of theirs."""
    which = [_sessions.c.token_hash == session] + ([] if user is None else [_sessions.c.user == user])
    with firm.database.write() as connection:
        connection.execute(delete(_sessions).where(*which))


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
