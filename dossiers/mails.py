"""Which mails were met in which mailbox, how far each is, and what was decided for its files; never holds a mail."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, or_, select, update

from dossiers import tables
from dossiers.designation import Lease
from dossiers.document import Document, State, from_row
from dossiers.firm import Firm
from dossiers.pauses import UNREACHABLE
from transfer.failures import PermanentFailure
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
    """One mail; ``number`` and ``generation`` are the mailbox's, ``sha256`` and ``size`` those of the raw message.

    ``readings`` is how often it was begun to be read without an end, ``kept`` since when the firm's home holds it.
    """

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
    found: datetime
    sender: str | None = None
    subject: str | None = None
    readings: int = 0
    kept: datetime | None = None

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


@dataclass(frozen=True)
class Reading:
    """What came of reading a mail: its sender and subject, and what was decided for its files."""

    mail: Met
    sender: str
    subject: str
    files: Sequence[Decided]


class Restore(enum.StrEnum):
    """Which files that were left out a person asks for: those that a rule excluded, or all of them."""

    EXCLUDED = "excluded"
    ALL = "all"


class Mails:
    """The mails of one mailbox, written by the holder of the lease; ``sources`` are all mailboxes that are read."""

    def __init__(self, firm: Firm, lease: Lease, source: str, sources: Iterable[str] = ()) -> None:
        self._firm = firm
        self._lease = lease
        self._read = {source, *sources}
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

        Those that are about to be read have one more of their ``readings``. A mail that was met in an earlier
        generation of the mailbox, that was away for a while, or that an abandoned mailbox left half-way, is recognised
        by its bytes.
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
            begun = [mail.id for mail in known.values() if mail.state is MailState.SEEN]
            more = update(_mails).where(_mails.c.id.in_(begun)).values(readings=_mails.c.readings + 1)
            connection.execute(more)
            known = {
                number: replace(mail, readings=mail.readings + 1) if mail.id in begun else mail
                for number, mail in known.items()
            }
        return [known[number] for number, _, _ in messages]

    def _met_before(
        self, connection: Connection, generation: str, number: str, fingerprint: Fingerprint
    ) -> Row[tuple[object, ...]] | None:
        """Give a mail of an earlier generation, or one that was away, its new number and return it."""
        here = _mails.c.source == self.source
        before = select(_mails.c.id, _mails.c.state).where(
            _mails.c.sha256 == fingerprint.sha256,
            or_(
                _mails.c.state == MailState.VANISHED.value,
                and_(here, _mails.c.generation != generation, _mails.c.state != MailState.REMOVED.value),
                and_(_mails.c.source.not_in(self._read), _mails.c.state == MailState.SEEN.value),
            ),
        )
        identity, state = next(iter(connection.execute(before.order_by(_mails.c.id))), (None, None))
        if identity is None:
            return None
        state = MailState.SEEN.value if state == MailState.VANISHED.value else state
        values = {"source": self.source, "generation": generation, "number": number, "state": state}
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
        """Return how far the first mail with the very same bytes is, in whatever mailbox, if this is a copy of it."""
        query = select(_mails.c.state).where(
            _mails.c.sha256 == mail.sha256,
            _mails.c.id < mail.id,
            _mails.c.state != MailState.VANISHED.value,
        )
        with self._firm.database.read() as connection:
            state = connection.execute(query.order_by(_mails.c.id)).scalars().first()
        return None if state is None else MailState(state)

    def decide(self, read: Sequence[Reading]) -> None:
        """Commit what came of reading mails, instead of what was decided before; their reading has come to its end."""
        ids = [one.mail.id for one in read]
        rows = [{"mail": one.mail.id, **vars(file)} for one in read for file in one.files]
        heads = [{"key": one.mail.id, "sender": one.sender[:255], "subject": one.subject[:255]} for one in read]
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(delete(_files).where(_files.c.mail.in_(ids)))
            if rows:
                connection.execute(insert(_files), rows)
            if heads:
                head = {"sender": bindparam("sender"), "subject": bindparam("subject"), "readings": 0}
                connection.execute(update(_mails).where(_mails.c.id == bindparam("key")).values(head), heads)

    def unmeet(self, mail: Met) -> None:
        """Forget a copy of a mail that is not at rest yet: it is met anew by the next round."""
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(delete(_mails).where(_mails.c.id == mail.id))

    def spare(self, mails: Sequence[Met]) -> None:
        """Commit that mails were not read, through no fault of theirs."""
        self._change(mails, readings=0)

    def become(self, mails: Sequence[Met], state: MailState) -> None:
        """Commit how far mails are now."""
        self._change(mails, state=state.value, changed=self._firm.clock(), failure=None, next_try=None)

    def keep(self, mails: Sequence[Met], kept: datetime | None) -> None:
        """Commit since when the firm's home holds mails, or that it no longer does."""
        self._change(mails, kept=kept)

    def restored(self, mail: Met) -> None:
        """Commit that the files a person asked for wait."""
        self._change([mail], restore=None)

    def failed(self, mail: Met, code: str) -> None:
        """Commit why a mail could not be brought to rest; the next attempt is due after 5, 15, 45 minutes, … a day."""
        due = self._firm.clock() + min(_PAUSE * 3 ** min(mail.attempts, 9), _LONGEST_PAUSE)
        self._try_again(mail, code, mail.attempts + 1, due)

    def put_off(self, mail: Met) -> None:
        """Commit that a mail waits for the folder of a dossier; it has not failed itself: it is due at once."""
        self._try_again(mail, UNREACHABLE, mail.attempts, None)

    def _try_again(self, mail: Met, code: str, attempts: int, due: datetime | None) -> None:
        self._change([mail], failure=code, attempts=attempts, next_try=due)

    def _change(self, mails: Sequence[Met], **values: object) -> None:
        if not mails:
            return
        with self._firm.database.write() as connection:
            self._lease.fence(connection)
            connection.execute(update(_mails).where(_mails.c.id.in_([mail.id for mail in mails])).values(values))


def find(firm: Firm, mail: int) -> Met:
    """Return a mail by its number, or refuse it with ``mail.unknown``."""
    with firm.database.read() as connection:
        row = connection.execute(select(_mails).where(_mails.c.id == mail)).one_or_none()
    if row is None:
        raise PermanentFailure("mail.unknown", mail=mail)
    return _met(row)


def latest(firm: Firm, most: int) -> list[Met]:
    """Return the mails that were met last, oldest first."""
    with firm.database.read() as connection:
        rows = connection.execute(select(_mails).order_by(_mails.c.id.desc()).limit(most)).all()
    return [_met(row) for row in reversed(rows)]


def outlived(firm: Firm, moment: datetime) -> list[Met]:
    """Return the mails that the firm's home holds and that left their mailbox before a moment."""
    query = select(_mails).where(
        _mails.c.kept.is_not(None),
        _mails.c.state == MailState.REMOVED.value,
        _mails.c.changed <= moment,
        _mails.c.restore.is_(None),
    )
    with firm.database.read() as connection:
        return [_met(row) for row in connection.execute(query)]


def ask_to_restore(firm: Firm, mail: int, which: Restore) -> None:
    """Ask for the files of a kept mail that were left out: the next round puts them on the waiting list.

    Refused with ``mail.not_kept`` and ``mail.nothing_left_out``.
    """
    found = find(firm, mail)
    if found.kept is None:
        raise PermanentFailure("mail.not_kept", mail=mail)
    if not any(is_wanted(each, which) for each in decisions(firm, mail)):
        raise PermanentFailure("mail.nothing_left_out", mail=mail)
    with firm.database.write() as connection:
        connection.execute(update(_mails).where(_mails.c.id == mail).values(restore=which.value))


def to_restore(firm: Firm) -> list[tuple[Met, Restore]]:
    """Return the mails of which a person asks for files, and for which."""
    query = select(_mails).where(_mails.c.restore.is_not(None)).order_by(_mails.c.id)
    with firm.database.read() as connection:
        return [(_met(row), Restore(row.restore)) for row in connection.execute(query)]


def is_wanted(file: Decided, which: Restore) -> bool:
    """Tell whether a file is among those left out that a person asks for; what only wraps others never is."""
    if file.action != "ignore" or file.reason in {"mail.wrapping", "mail.forwarded"}:
        return False
    return which is Restore.ALL or file.reason == "mail.excluded"


def decisions(firm: Firm, mail: int) -> list[Decided]:
    """Return what was decided for the files of a mail."""
    with firm.database.read() as connection:
        rows = connection.execute(select(_files).where(_files.c.mail == mail).order_by(_files.c.id))
        return [Decided(*(getattr(row, each.name) for each in fields(Decided))) for row in rows]


def documents(firm: Firm, mail: Met) -> dict[str, Document]:
    """Return the documents that came from a mail, by path."""
    rows = tables.documents
    mine = rows.c.origin == "mail", rows.c.path.startswith(f"{mail.id}/"), rows.c.state != State.VANISHED.value
    with firm.database.read() as connection:
        return {row.path: from_row(row) for row in connection.execute(select(rows).where(*mine))}


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
