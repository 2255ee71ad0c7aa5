"""Which mails were met in which mailbox, how far each is, and what was decided for its files; never holds a mail."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from dossiers import tables
from dossiers.designation import Lease
from dossiers.firm import Firm
from dossiers.pauses import UNREACHABLE
from transfer.fingerprints import Fingerprint

_mails = tables.mails
_files = tables.mail_files
_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(days=1)


class MailState(enum.StrEnum):
    """How far a mail is.

    ``seen``: met, its files not all at rest. ``at_rest``: every file is in a dossier, waits, or was left out; the mail
    may be removed. ``left``: there is no file in it; it stays where it is. ``held``: it could not be read and waits as
    a whole; it stays in the mailbox. ``removed``: it is gone from there. ``vanished``: someone else took it before its
    files were at rest.
    """

    SEEN = "seen"
    AT_REST = "at_rest"
    LEFT = "left"
    HELD = "held"
    REMOVED = "removed"
    VANISHED = "vanished"


@dataclass(frozen=True)
class Met:
    """One mail; ``number`` and ``generation`` are the mailbox's, ``sha256`` and ``size`` those of the raw message."""

    id: int
    source: str
    generation: str
    number: str
    sha256: str
    size: int
    state: MailState
    changed: datetime
    failure: str | None
    attempts: int
    next_try: datetime | None

    @property
    def fingerprint(self) -> Fingerprint:
        """The size and hash of the raw message."""
        return Fingerprint(self.size, self.sha256)


@dataclass(frozen=True)
class Decided:
    """What was decided for a file of a mail; ``action`` is deliver, wait or ignore, ``reason`` a code."""

    path: str
    name: str
    sha256: str
    action: str
    reason: str
    dossier: str | None
    rule: int | None


class Mails:
    """The mails of one mailbox, written by the holder of the lease."""

    def __init__(self, firm: Firm, lease: Lease, source: str) -> None:
        self._firm = firm
        self._lease = lease
        self.source = source

    def met(self, generation: str) -> dict[str, Met]:
        """Return the mails that were met in a generation of the mailbox and not removed from it, by number."""
        query = select(_mails).where(
            _mails.c.source == self.source,
            _mails.c.generation == generation,
            _mails.c.state != MailState.REMOVED.value,
        )
        with self._firm.database.read() as connection:
            return {row.number: _met(row) for row in connection.execute(query)}

    def meet(self, generation: str, messages: Sequence[tuple[str, Fingerprint, str]]) -> list[Met]:
        """Commit that messages were met (number, fingerprint, Message-ID), and return their rows in that order.

        A mail that was met in an earlier generation of the mailbox, or that was away for a while, is recognised by its
        bytes.
        """
        query = select(_mails).where(
            _mails.c.source == self.source,
            _mails.c.generation == generation,
            _mails.c.number.in_([number for number, _, _ in messages]),
        )
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            known = {row.number: _met(row) for row in connection.execute(query)}
            for number, fingerprint, message_id in messages:
                if number not in known:
                    row = self._met_before(connection, generation, number, fingerprint)
                    known[number] = _met(row or self._new(connection, generation, number, fingerprint, message_id))
        return [known[number] for number, _, _ in messages]

    def _met_before(
        self, connection: Connection, generation: str, number: str, fingerprint: Fingerprint
    ) -> Row[tuple[object, ...]] | None:
        """Give a mail of an earlier generation, or one that was away, its new number and return it."""
        before = select(_mails.c.id, _mails.c.state).where(
            _mails.c.source == self.source,
            _mails.c.sha256 == fingerprint.sha256,
            or_(
                _mails.c.state == MailState.VANISHED.value,
                and_(_mails.c.generation != generation, _mails.c.state != MailState.REMOVED.value),
            ),
        )
        identity, state = next(iter(connection.execute(before.order_by(_mails.c.id))), (None, None))
        if identity is None:
            return None
        state = MailState.SEEN.value if state == MailState.VANISHED.value else state
        values = {"generation": generation, "number": number, "state": state}
        change = update(_mails).where(_mails.c.id == identity).values(values)
        return connection.execute(change.returning(*_mails.c)).one()

    def _new(
        self, connection: Connection, generation: str, number: str, fingerprint: Fingerprint, message_id: str
    ) -> Row[tuple[object, ...]]:
        moment = self._firm.clock()
        values = {
            "source": self.source,
            "generation": generation,
            "number": number,
            "sha256": fingerprint.sha256,
            "size": fingerprint.size,
            "message_id": message_id[:250],
            "state": MailState.SEEN.value,
            "found": moment,
            "changed": moment,
            "attempts": 0,
        }
        return connection.execute(insert(_mails).values(values).returning(*_mails.c)).one()

    def twin(self, mail: Met) -> MailState | None:
        """Return how far the first mail of this mailbox with the very same bytes is, if this one is a copy of it."""
        query = select(_mails.c.state).where(
            _mails.c.source == self.source,
            _mails.c.sha256 == mail.sha256,
            _mails.c.id < mail.id,
            _mails.c.state != MailState.VANISHED.value,
        )
        with self._firm.database.read() as connection:
            state = connection.execute(query.order_by(_mails.c.id)).scalars().first()
        return None if state is None else MailState(state)

    def decide(self, mail: Met, files: Iterable[Decided]) -> None:
        """Keep what was decided for the files of a mail, instead of what was decided before."""
        rows = [{"mail": mail.id, **vars(file)} for file in files]
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(delete(_files).where(_files.c.mail == mail.id))
            if rows:
                connection.execute(insert(_files), rows)

    def become(self, mails: Sequence[Met], state: MailState) -> None:
        """Commit how far mails are now."""
        if not mails:
            return
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            change = {"state": state.value, "changed": self._firm.clock(), "failure": None, "next_try": None}
            ids = [mail.id for mail in mails]
            connection.execute(update(_mails).where(_mails.c.id.in_(ids)).values(change))

    def failed(self, mail: Met, code: str) -> None:
        """Commit why a mail could not be brought to rest; the next attempt is due after 5, 15, 45 minutes, … a day."""
        due = self._firm.clock() + min(_PAUSE * 3 ** min(mail.attempts, 9), _LONGEST_PAUSE)
        self._try_again(mail, code, mail.attempts + 1, due)

    def put_off(self, mail: Met) -> None:
        """Commit that a mail waits for the folder of a dossier; it has not failed itself: it is due at once."""
        self._try_again(mail, UNREACHABLE, mail.attempts, None)

    def _try_again(self, mail: Met, code: str, attempts: int, due: datetime | None) -> None:
        change = {"failure": code, "attempts": attempts, "next_try": due}
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(update(_mails).where(_mails.c.id == mail.id).values(change))


def decisions(firm: Firm, mail: int) -> list[Decided]:
    """Return what was decided for the files of a mail."""
    with firm.database.read() as connection:
        rows = connection.execute(select(_files).where(_files.c.mail == mail).order_by(_files.c.id))
        return [Decided(*(getattr(row, each.name) for each in fields(Decided))) for row in rows]


def known(firm: Firm, source: str, generation: str) -> set[str]:
    """Return the numbers of the mails that were met in a generation of a mailbox."""
    query = select(_mails.c.number).where(_mails.c.source == source, _mails.c.generation == generation)
    with firm.database.read() as connection:
        return set(connection.scalars(query))


def counts(firm: Firm) -> dict[tuple[str, str], int]:
    """Return how many mails of each mailbox are in each state."""
    found: dict[tuple[str, str], int] = {}
    with firm.database.read() as connection:
        for source, state in connection.execute(select(_mails.c.source, _mails.c.state)):
            found[source, state] = found.get((source, state), 0) + 1
    return found


def _met(row: Row[tuple[object, ...]]) -> Met:
    values = {each.name: getattr(row, each.name) for each in fields(Met)}
    return Met(**values | {"state": MailState(row.state)})
