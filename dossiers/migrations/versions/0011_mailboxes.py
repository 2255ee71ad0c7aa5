"""Named mailboxes instead of one set of settings, kept mails, and what a virus scanner said of a document."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_TEXTS = {
    "kind": "imap",
    "host": "",
    "security": "tls",
    "fingerprint": "",
    "authority": "",
    "user": "",
    "login": "password",
    "password": "",
    "password_until": "",
    "client": "",
    "tenant": "organizations",
    "client_secret": "",
    "login_server": "",
    "folder": "INBOX",
    "after": "delete",
    "move_to": "Navette",
    "address": "",
    "accepted": "",
    "tokens": "",
}
_NUMBERS = {"port": "993", "keep_days": "30", "minutes": "0"}
_SWITCHES = {"plus": "no", "active": "yes"}
_SHORT = {"kind": 16, "security": 16, "fingerprint": 64, "login": 16, "password_until": 16, "after": 16}


def upgrade() -> None:
    boxes = op.create_table(
        "mailboxes",
        sa.Column("name", sa.String(40), nullable=False),
        *[sa.Column(name, sa.String(_SHORT[name]) if name in _SHORT else sa.Text, nullable=False) for name in _TEXTS],
        *[sa.Column(name, sa.Integer, nullable=False) for name in _NUMBERS],
        *[sa.Column(name, sa.Boolean, nullable=False) for name in _SWITCHES],
        sa.PrimaryKeyConstraint("name", name="pk_mailboxes"),
    )
    op.add_column("documents", sa.Column("threat", sa.String(255)))
    for added in (
        sa.Column("sender", sa.String(255)),
        sa.Column("subject", sa.String(255)),
        sa.Column("readings", sa.Integer, nullable=False, server_default="0"),
        sa.Column("kept", sa.DateTime),
        sa.Column("restore", sa.String(16)),
    ):
        op.add_column("mails", added)
    _take_over(op.get_bind(), boxes)


def _take_over(connection: sa.Connection, boxes: sa.Table) -> None:
    """Make a mailbox of the settings that named the only one; mails that were collected there need no new yes."""
    settings = sa.table("settings", sa.column("name"), sa.column("value"))
    mine = settings.c.name.like("mail.%")
    found = {row.name.removeprefix("mail."): row.value for row in connection.execute(sa.select(settings).where(mine))}
    connection.execute(sa.delete(settings).where(mine))
    for table, column in (("rounds", "source"), ("pauses", "origin")):
        place = sa.table(table, sa.column(column))
        connection.execute(sa.delete(place).where(place.c[column] == "mail"))
    if not found.get("host"):
        return
    told = {name: found.get(name, usual) for name, usual in (_TEXTS | _NUMBERS | _SWITCHES).items()}
    source = "{kind}://{user}@{host}:{port}/{folder}".format(**told)
    mails = sa.table("mails", sa.column("source"))
    if connection.execute(sa.select(mails).where(mails.c.source == source).limit(1)).first() is not None:
        told["accepted"] = source
    values: dict[str, object] = {"name": "main", **told}
    values |= {name: int(told[name]) for name in _NUMBERS} | {name: told[name] == "yes" for name in _SWITCHES}
    connection.execute(sa.insert(boxes).values(values))
