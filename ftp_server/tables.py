"""The server's tables; never runs a statement."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    true,
)

metadata = MetaData()

fiduciaries = Table(
    "fiduciaries",
    metadata,
    Column("number", String(6), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("quota", BigInteger),
)

accounts = Table(
    "accounts",
    metadata,
    Column("login", String(32), primary_key=True),
    Column("fiduciary", String(6), ForeignKey("fiduciaries.number"), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("tls_required", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("networks", Text, nullable=False, server_default=""),
    Column("close_notify", Boolean, nullable=False, server_default=true()),
    Column("bound", Boolean, nullable=False, server_default=false()),
    Column("stamp", BigInteger, nullable=False, server_default="0"),
)

account_changes = Table(
    "account_changes",
    metadata,
    Column("number", BigInteger, nullable=False),
)
"""One row, whose number rises with each change of an account or a fiduciary: whoever remembers them compares it."""

deposits = Table(
    "deposits",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("retry_key", String(64), nullable=False),
    Column("fiduciary", String(6), nullable=False),
    Column("login", String(32), nullable=False),
    Column("folder", String(800), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("evidence", String(40), nullable=False),
    Column("received_at", Float, nullable=False, index=True),
    Column("collected_at", Float),
    Index("deposits_by_place", "fiduciary", "folder", "name"),
)

suspects = Table(
    "suspects",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("fiduciary", String(6), nullable=False),
    Column("login", String(32), nullable=False),
    Column("folder", String(800), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("received_at", Float, nullable=False),
)

bans = Table(
    "bans",
    metadata,
    Column("address", String(64), primary_key=True),
    Column("until", Float, nullable=False),
    Column("times", Integer, nullable=False),
)

decisions = Table(
    "suspect_decisions",
    metadata,
    Column("suspect", String(32), ForeignKey("suspects.id"), primary_key=True),
    Column("decision", String(12), nullable=False),
    Column("name", String(255), nullable=False),
    Column("decided_at", Float, nullable=False),
    Column("ended_at", Float),
)
