"""The tables of the firm's database in portable SQL; never holds a query."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION = "0011"
"""The migration that makes the tables as they stand here."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

SEALED = {"sealed": True}
"""Marks a column whose values are all sealed, so that a new key reaches them."""

_Key = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER
_Path = Text()
_Code = String(64)
_Word = String(40).with_variant(String(40, collation="C"), "postgresql")  # in the order of its letters' numbers
_Word = _Word.with_variant(String(40, collation="Latin1_General_BIN2"), "mssql")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, kept without zone because SQLite and SQL Server have none; always read back as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a moment without zone: nobody could tell what it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


dossiers = Table(
    "dossiers",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("language", String(2), nullable=False),
    Column("enterprise", String(10)),
    Column("template", _Path, nullable=False),
    Column("write_user", String(64)),
    Column("write_password", Text, info=SEALED),
    Column("folder_name", String(200)),  # the name its folders have, where it is another
    Column("archived", Moment),
)

dossier_addresses = Table(
    "dossier_addresses",
    metadata,
    Column("address", String(254), primary_key=True),
    Column("dossier", String(16), nullable=False),
    Index(None, "dossier"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("origin", String(16), nullable=False),  # ftp, mail
    Column("source", Text, nullable=False),  # which server or mailbox
    Column("path", _Path, nullable=False),  # where the source has it
    Column("source_size", BigInteger),
    Column("source_modified", String(32)),
    Column("source_sha256", String(64)),
    Column("dossier", String(16)),  # none while it waits
    Column("reason", _Code),  # why it waits
    Column("name", String(255), nullable=False),
    Column("folder", _Path, nullable=False),
    Column("placed", String(255)),  # the name it has in the folder
    Column("placed_key", String(255)),  # what that name shares with its twins
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("state", String(16), nullable=False),
    Column("found", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("failure", _Code),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Moment),
    Column("kind", String(180)),  # the folder within the dossier that it was deposited in
    Column("sender", String(255)),  # the login or address it came from, where the source tells
    Column("peer", String(64)),  # and from which machine
    Column("source_receipt", String(64)),  # and the number of the receipt its sender got
    Column("duplicate_of", BigInteger),  # the first document with the same bytes
    Column("processed", Moment),
    Column("refused", Moment),  # it stays where it is, and off the waiting list
    Column("threat", String(255)),  # what the virus scanner said of it
    Index(None, "state"),
    Index("ix_documents_dossier_id", "dossier", "id"),  # in their order: the waiting list is read by the page
    Index(None, "sha256"),
    Index(None, "sender"),
    Index("ix_documents_found", "found", "origin", "dossier", "state"),  # what came today and these last days
    Index("ix_documents_ready", "processed", "dossier", "id"),  # what nobody has processed yet
)

assignments = Table(
    "assignments",
    metadata,
    Column("document", _Key, primary_key=True, autoincrement=False),
    Column("dossier", String(16)),  # none for the way back to the waiting folder
    Column("source", _Path, nullable=False),  # its file in the folder it leaves
    Column("folder", _Path, nullable=False),
    Column("placed", String(255)),
    Column("placed_key", String(255)),
    Column("state", String(16), nullable=False),
    Column("actor", String(255)),
)

journal = Table(
    "journal",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("document", _Key, nullable=False),
    Column("dossier", String(16)),
    Column("at", Moment, nullable=False),
    Column("machine", String(255), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("step", String(16), nullable=False),
    Column("reason", _Code),
    Column("sha256", String(64)),
    Column("size", BigInteger),
    Column("actor", String(255)),  # the sender or the person it was done by
    Column("place", _Path),  # where the bytes are after the step, or were found
    Column("detail", Text),
    Index(None, "document"),
    Index(None, "dossier"),
    Index(None, "at"),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),  # sealed when the setting is a secret
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("machine", String(255), nullable=False),
    Column("process", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("heartbeat", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    Column("source", String(255), primary_key=True),
    Column("started", Moment, nullable=False),
    Column("ended", Moment),
    Column("failure", _Code),
    Column("delivered", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("next", Moment),
    Column("paused", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),  # how many rounds in a row ended early
)

pauses = Table(
    "pauses",
    metadata,
    Column("origin", String(255), primary_key=True),  # which source
    Column("dossier", String(16), primary_key=True),  # empty for the waiting folder
    Column("folder", _Path, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("since", Moment, nullable=False),
    Column("documents", Integer, nullable=False),  # how many stay at their source
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", _Path, nullable=False),  # a source, folder, dossier, machine; empty for the firm as a whole
    Column("told", Text, nullable=False),  # JSON: what its sentence needs
    Column("since", Moment, nullable=False),
    Column("ended", Moment),
    Index(None, "ended"),
)

alarm_notices = Table(
    "alarm_notices",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("alarm", _Key, nullable=False),
    Column("event", String(16), nullable=False),  # raised, ended
    Column("channel", String(16), nullable=False),  # mail, webhook
    Column("attempts", Integer, nullable=False),
    Column("next_try", Moment),  # none once it is sent or given up
    Column("sent", Moment),
    Column("failure", _Code),
    Index(None, "next_try"),
)

mail_rules = Table(
    "mail_rules",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("kind", String(16), nullable=False),  # inclusion, exclusion
    Column("field", String(16), nullable=False),
    Column("comparison", String(16), nullable=False),
    Column("value_list", Text, nullable=False),  # JSON
    Column("dossier", String(16)),  # none for an exclusion
    Column("priority", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),  # imap, pop3
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),  # 0: the usual one
    Column("security", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("authority", _Path, nullable=False),
    Column("user", Text, nullable=False),
    Column("login", String(16), nullable=False),  # password, microsoft, google
    Column("password", Text, nullable=False, info=SEALED),
    Column("password_until", String(16), nullable=False),  # the last day of it, or empty
    Column("client", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("client_secret", Text, nullable=False, info=SEALED),
    Column("login_server", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("after", String(16), nullable=False),  # delete, move, keep
    Column("move_to", Text, nullable=False),
    Column("keep_days", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("plus", Boolean, nullable=False),
    Column("minutes", Integer, nullable=False),  # 0: with every round of the service
    Column("active", Boolean, nullable=False),
    Column("accepted", Text, nullable=False),  # the source whose mails a person has let go
    Column("tokens", Text, nullable=False, info=SEALED),  # what signing in has given
)

mails = Table(
    "mails",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("source", String(400), nullable=False),  # which mailbox
    Column("generation", String(32), nullable=False),  # UIDVALIDITY
    Column("number", String(80), nullable=False),  # UID or UIDL
    Column("sha256", String(64), nullable=False),  # of the raw message
    Column("size", BigInteger, nullable=False),
    Column("message_id", String(250), nullable=False),
    Column("state", String(16), nullable=False),
    Column("found", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("failure", _Code),
    Column("attempts", Integer, nullable=False),
    Column("next_try", Moment),
    Column("sender", String(255)),
    Column("subject", String(255)),
    Column("readings", Integer, nullable=False, server_default="0"),  # begun and not yet come to their end
    Column("kept", Moment),  # since when the raw message is in the firm's home
    Column("restore", String(16)),  # which of its files that were left out a person asks for
    Index("ix_mails_message", "source", "generation", "number", unique=True),
    Index(None, "sha256"),
)

mail_files = Table(
    "mail_files",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("mail", _Key, nullable=False),
    Column("path", _Path, nullable=False),  # where it is in the mail
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("action", String(16), nullable=False),  # deliver, wait, ignore
    Column("reason", _Code, nullable=False),
    Column("dossier", String(16)),
    Column("rule", BigInteger),
    Index(None, "mail"),
)

handed_out = Table(
    "handed_out",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("dossier", String(16), nullable=False),
    Column("login", String(64), nullable=False),  # whose password it holds
    Column("form", String(16), nullable=False),  # ini, kit, sheet, canon
    Column("actor", String(255)),
    Column("receiver", String(200)),
    Column("revoked", Moment),
    Column("revoked_by", String(255)),
    Index(None, "dossier"),
    Index(None, "login"),
)

search_words = Table(
    "search_words",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("word", _Word, nullable=False),
    Index("ix_search_words_word", "word", unique=True),
)

search_places = Table(
    "search_places",
    metadata,
    Column("word", _Key, primary_key=True, autoincrement=False),
    Column("document", _Key, primary_key=True, autoincrement=False),
)

users = Table(
    "users",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("name_key", String(64), nullable=False),  # the name in small letters
    Column("role", String(16), nullable=False),
    Column("language", String(2), nullable=False),
    Column("password", String(255), nullable=False),  # argon2id
    Column("every_dossier", Boolean, nullable=False),
    Column("one_time_key", Text),  # sealed; none unless the user asks for codes
    Column("one_time_step", BigInteger, nullable=False),  # of the last code that was used
    Column("created", Moment, nullable=False),
    Column("closed", Moment),
    Index("ix_users_name_key", "name_key", unique=True),
)

user_dossiers = Table(
    "user_dossiers",
    metadata,
    Column("user", _Key, primary_key=True, autoincrement=False),
    Column("dossier", String(16), primary_key=True),
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", _Key, nullable=False),
    Column("began", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("address", String(64), nullable=False),
    Column("browser", String(200), nullable=False),
    Index(None, "user"),
)

deeds = Table(
    "deeds",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("deed", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
)
