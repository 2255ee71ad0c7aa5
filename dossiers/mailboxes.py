"""The firm's mailboxes, each under a name of its own, their secrets sealed; never opens one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from dossiers import tables
from dossiers.firm import Firm
from dossiers.settings import MAILBOX, checked
from transfer.failures import PermanentFailure
from transfer.setting import Kind

_boxes = tables.mailboxes
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_USUAL_PORTS = {("imap", True): 993, ("imap", False): 143, ("pop3", True): 995, ("pop3", False): 110}
_DECLARED = {setting.name.removeprefix("mail."): setting for setting in MAILBOX}


@dataclass(frozen=True)
class Box:
    """One mailbox, and how it is read; :data:`dossiers.settings.MAILBOX` says what each value means.

    ``accepted`` is the source that a person has said yes to, ``tokens`` what signing in to Microsoft or Google gave.
    That, the password and the client's secret are sealed here too (``firm.seal`` opens them).
    """

    name: str
    kind: str
    host: str
    port: int
    security: str
    fingerprint: str
    authority: str
    user: str
    login: str
    password: str = field(repr=False)
    password_until: str
    client: str
    tenant: str
    client_secret: str = field(repr=False)
    login_server: str
    folder: str
    after: str
    move_to: str
    keep_days: int
    address: str
    plus: bool
    minutes: int
    active: bool
    accepted: str
    tokens: str = field(repr=False)

    @property
    def source(self) -> str:
        """What tells this mailbox from any other in the database."""
        return f"{self.kind}://{self.user}@{self.host}:{self.port}/{self.folder}"

    @property
    def round(self) -> str:
        """The name of its rounds and pauses."""
        return f"mail:{self.name}"

    @property
    def is_accepted(self) -> bool:
        """Whether its mails may be taken out: it was empty when it was first looked at, or a person said yes."""
        return self.accepted == self.source


def every(firm: Firm) -> list[Box]:
    """Return all mailboxes, read or not, by name."""
    with firm.database.read() as connection:
        return [_box(row) for row in connection.execute(select(_boxes).order_by(_boxes.c.name))]


def find(firm: Firm, name: str) -> Box:
    """Return a mailbox, or refuse its name with ``mailbox.unknown``."""
    with firm.database.read() as connection:
        return _box(_row(connection, name))


def add(firm: Firm, name: str, values: Mapping[str, str]) -> Box:
    """Keep a new mailbox; what is not named has its usual value. Refused with a ``mailbox.`` or ``setting.`` code."""
    if not _NAME.fullmatch(name):
        raise PermanentFailure("mailbox.bad_name", name=name[:80])
    usual = {key: setting.default for key, setting in _DECLARED.items()}
    with firm.database.write() as connection:
        if connection.execute(select(_boxes.c.name).where(_boxes.c.name == name)).first() is not None:
            raise PermanentFailure("mailbox.name_taken", name=name)
        row = {"name": name, "accepted": "", "tokens": "", **_columns(firm, usual | dict(values))}
        connection.execute(insert(_boxes).values(row))
        return _sound(connection, name)


def change(firm: Firm, name: str, values: Mapping[str, str]) -> Box:
    """Change values of a mailbox; an empty one brings the usual one back. Refused as in :func:`add`."""
    with firm.database.write() as connection:
        _row(connection, name)
        if values:
            connection.execute(update(_boxes).where(_boxes.c.name == name).values(_columns(firm, values)))
        return _sound(connection, name)


def forget(firm: Firm, name: str) -> None:
    """Forget a mailbox and the state of its rounds; what came from it stays."""
    with firm.database.write() as connection:
        box = _box(_row(connection, name))
        connection.execute(delete(_boxes).where(_boxes.c.name == name))
        connection.execute(delete(tables.rounds).where(tables.rounds.c.source == box.round))
        connection.execute(delete(tables.pauses).where(tables.pauses.c.origin == box.round))


def accept(firm: Firm, box: Box) -> None:
    """Keep that the mails of a mailbox may be taken out, as long as it is this one on this server."""
    _keep(firm, box, accepted=box.source)


def keep_tokens(firm: Firm, box: Box, tokens: str) -> None:
    """Keep what signing in has given, sealed."""
    _keep(firm, box, tokens=firm.seal.seal(tokens))


def _keep(firm: Firm, box: Box, **values: str) -> None:
    with firm.database.write() as connection:
        connection.execute(update(_boxes).where(_boxes.c.name == box.name).values(values))


def _columns(firm: Firm, values: Mapping[str, str]) -> dict[str, Any]:
    """Check values and return them as the table keeps them."""
    kept: dict[str, Any] = {}
    for key, told in values.items():
        if key not in _DECLARED:
            raise PermanentFailure("setting.unknown", name=key[:64])
        setting = _DECLARED[key]
        value = checked(setting, told) if told else setting.default
        if setting.secret:
            kept[key] = firm.seal.seal(value) if value else ""
        elif setting.kind is Kind.NUMBER:
            kept[key] = int(value)
        else:
            kept[key] = value == "yes" if setting.kind is Kind.SWITCH else value
    return kept


def _sound(connection: Connection, name: str) -> Box:
    """Return a mailbox that was just written, or refuse it with the transaction it was written in."""
    box = _box(_row(connection, name))
    if box.kind == "pop3" and box.after == "move":
        raise PermanentFailure("mailbox.pop3_cannot_move")
    for row in connection.execute(select(_boxes).where(_boxes.c.name != name)):
        other = _box(row)
        if box.host and other.source.casefold() == box.source.casefold():
            raise PermanentFailure("mailbox.twice", name=name, other=other.name)
    return box


def _row(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(_boxes).where(_boxes.c.name == name)).one_or_none()
    if row is None:
        raise PermanentFailure("mailbox.unknown", name=name[:80])
    return row


def _box(row: Row[Any]) -> Box:
    values = {each.name: getattr(row, each.name) for each in fields(Box)}
    values["port"] = row.port or _USUAL_PORTS[row.kind, row.security == "tls"]
    return Box(**values)
