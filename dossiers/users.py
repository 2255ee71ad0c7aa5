"""The people who may open the console: role, language, dossiers they may see; never keeps a password as it is."""

import enum
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from dossiers import tables
from dossiers.firm import Firm
from transfer.failures import PermanentFailure
from transfer.language import LANGUAGES

SHORTEST, LONGEST = 10, 200
"""Letters that a password has at least and at most."""

_TURN = "users"
_LONGEST_NAME = 64
_users = tables.users
_seen = tables.user_dossiers


class Role(enum.StrEnum):
    """What a person may do; each may do all that those before it may."""

    READER = "reader"
    ACCOUNTANT = "accountant"
    ADMINISTRATOR = "administrator"

    def may(self, needed: "Role") -> bool:
        """Tell whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class User:
    """A person; ``dossiers`` are the numbers they may see, unless they may see every one."""

    id: int
    name: str
    role: Role
    language: str
    every_dossier: bool
    dossiers: frozenset[str]
    created: datetime
    closed: datetime | None
    asks_code: bool

    def sees(self, dossier: str | None) -> bool:
        """Tell whether they may see a dossier; None stands for what waits, which may be any client's."""
        return self.every_dossier or dossier in self.dossiers


class Passwords:
    """Argon2id, two at a time: each check takes 64 MiB and 0.2 s. For any thread but the event loop's."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slow = threading.Semaphore(2)
        self._unknown = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """Return the hash of a password that is long enough, or refuse it with ``user.password_length``."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise PermanentFailure("user.password_length", shortest=SHORTEST, longest=LONGEST)
        with self._slow:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Compare with a hash; no hash (None) takes as long and never fits."""
        with self._slow:
            try:
                self._hasher.verify(stored or self._unknown, password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None


def any_user(firm: Firm) -> bool:
    """Tell whether there is a user yet: as long as there is none, a link of the console makes the first."""
    with firm.database.read() as connection:
        return connection.execute(select(_users.c.id).limit(1)).first() is not None


def every(firm: Firm) -> list[User]:
    """Return all users by name."""
    return _listed(firm)


def find(firm: Firm, user: int) -> User:
    """Return a user, or refuse the number with ``user.unknown``."""
    found = _listed(firm, _users.c.id == user)
    if not found:
        raise PermanentFailure("user.unknown", user=user)
    return found[0]


def add(
    firm: Firm,
    name: str,
    role: Role,
    language: str,
    password_hash: str,
    *,
    dossiers: Sequence[str] | None = None,
    first: bool = False,
) -> User:
    """Keep a new user; None for ``dossiers`` lets them see every one, as administrators always do.

    Refused with a ``user.`` code; ``first`` is refused with ``user.not_the_first`` once there is another.
    """
    name = _checked_name(name)
    with firm.database.write(_TURN) as connection:
        if first and connection.execute(select(_users.c.id).limit(1)).first() is not None:
            raise PermanentFailure("user.not_the_first")
        if connection.execute(select(_users.c.id).where(_users.c.name_key == name.casefold())).first():
            raise PermanentFailure("user.name_taken", name=name)
        values: dict[str, object] = {"name": name, "name_key": name.casefold(), "role": role.value}
        values |= {"language": _language(language), "password": password_hash, "created": firm.clock()}
        values |= {"every_dossier": _every(role, dossiers), "one_time_step": 0}
        (number,) = connection.scalars(insert(_users).returning(_users.c.id), [values])
        _let_see(connection, number, dossiers or ())
    return find(firm, number)


def change(firm: Firm, user: int, role: Role, dossiers: Sequence[str] | None, closed: bool) -> User:
    """Change what a user may do, and whether they may sign in; ``user.last_administrator`` keeps one who may."""
    with firm.database.write(_TURN) as connection:
        values: dict[str, object] = {"role": role.value, "closed": firm.clock() if closed else None}
        values["every_dossier"] = _every(role, dossiers)
        if connection.execute(update(_users).where(_users.c.id == user).values(values)).rowcount != 1:
            raise PermanentFailure("user.unknown", user=user)
        may = _users.c.role == Role.ADMINISTRATOR.value, _users.c.closed.is_(None)
        if not connection.execute(select(func.count()).select_from(_users).where(*may)).scalar():
            raise PermanentFailure("user.last_administrator")
        connection.execute(delete(_seen).where(_seen.c.user == user))
        _let_see(connection, user, dossiers or ())
        if closed:
            connection.execute(delete(tables.user_sessions).where(tables.user_sessions.c.user == user))
    return find(firm, user)


def set_language(firm: Firm, user: int, language: str) -> None:
    """Keep the language that a user reads."""
    with firm.database.write() as connection:
        connection.execute(update(_users).where(_users.c.id == user).values(language=_language(language)))


def set_password(firm: Firm, user: int, password_hash: str) -> None:
    """Keep a new password and end all sessions of the user."""
    with firm.database.write() as connection:
        connection.execute(update(_users).where(_users.c.id == user).values(password=password_hash))
        connection.execute(delete(tables.user_sessions).where(tables.user_sessions.c.user == user))


def set_one_time_key(firm: Firm, user: int, key: str | None) -> None:
    """Ask a code of this user from now on, made with this key; None asks none any more."""
    sealed = None if key is None else firm.seal.seal(key)
    with firm.database.write() as connection:
        connection.execute(update(_users).where(_users.c.id == user).values(one_time_key=sealed))


def reset(firm: Firm, name: str) -> str:
    """Give a user a new password, which asks for no code, and return it; ``user.unknown`` for a name nobody has."""
    password = secrets.token_urlsafe(12)
    values = {"password": Passwords().hash(password), "one_time_key": None, "closed": None}
    with firm.database.write(_TURN) as connection:
        which = _users.c.name_key == name.strip().casefold()
        user = connection.execute(select(_users.c.id).where(which)).scalar()
        if user is None:
            raise PermanentFailure("user.unknown", user=name[:_LONGEST_NAME])
        connection.execute(update(_users).where(_users.c.id == user).values(values))
        connection.execute(delete(tables.user_sessions).where(tables.user_sessions.c.user == user))
    return password


@dataclass(frozen=True)
class Credentials:
    """What a person who signs in is compared with: the hash of the password, and the key of the codes if any."""

    user: int
    password: str
    one_time_key: str | None


def credentials(firm: Firm, name: str) -> Credentials | None:
    """Return what a person of this name is compared with; None for an unknown name and one who may not sign in."""
    which = _users.c.name_key == name.strip().casefold()[:_LONGEST_NAME], _users.c.closed.is_(None)
    with firm.database.read() as connection:
        row = connection.execute(select(_users).where(*which)).one_or_none()
    if row is None:
        return None
    return Credentials(row.id, row.password, None if row.one_time_key is None else firm.seal.open(row.one_time_key))


def use_step(firm: Firm, user: int, step: int) -> bool:
    """Mark the code of a time step as used, and tell whether it, or a later one, was not used before."""
    with firm.database.write() as connection:
        fresh = _users.c.id == user, _users.c.one_time_step < step
        return connection.execute(update(_users).where(*fresh).values(one_time_step=step)).rowcount == 1


def _listed(firm: Firm, *which: ColumnElement[bool]) -> list[User]:
    with firm.database.read() as connection:
        rows = connection.execute(select(_users).where(*which).order_by(_users.c.name_key)).all()
        seen: dict[int, set[str]] = {}
        for row in connection.execute(select(_seen).where(_seen.c.user.in_([row.id for row in rows]))):
            seen.setdefault(row.user, set()).add(row.dossier)
    return [_user(row, seen.get(row.id, ())) for row in rows]


def _user(row: Row[Any], dossiers: Iterable[str]) -> User:
    return User(
        row.id,
        row.name,
        Role(row.role),
        row.language,
        row.every_dossier,
        frozenset(dossiers),
        row.created,
        row.closed,
        row.one_time_key is not None,
    )


def _every(role: Role, dossiers: Sequence[str] | None) -> bool:
    return dossiers is None or role is Role.ADMINISTRATOR


def _let_see(connection: Connection, user: int, dossiers: Iterable[str]) -> None:
    rows = [{"user": user, "dossier": number} for number in sorted(set(dossiers))]
    if rows:
        connection.execute(insert(_seen), rows)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise PermanentFailure("user.bad_name", longest=_LONGEST_NAME)
    return name


def _language(code: str) -> str:
    return code if code in LANGUAGES else "fr"
