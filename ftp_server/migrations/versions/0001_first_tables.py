"""Fiduciaries, accounts, deposits and suspects."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "fiduciaries",
        sa.Column("number", sa.String(6), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("login", sa.String(32), primary_key=True),
        sa.Column("fiduciary", sa.String(6), sa.ForeignKey("fiduciaries.number"), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("tls_required", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "deposits",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("retry_key", sa.String(64), nullable=False),
        sa.Column("fiduciary", sa.String(6), nullable=False),
        sa.Column("login", sa.String(32), nullable=False),
        sa.Column("folder", sa.String(800), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("evidence", sa.String(40), nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("collected_at", sa.Float),
    )
    op.create_index("ix_deposits_retry_key", "deposits", ["retry_key"])
    op.create_index("deposits_by_place", "deposits", ["fiduciary", "folder", "name"])
    op.create_table(
        "suspects",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("fiduciary", sa.String(6), nullable=False),
        sa.Column("login", sa.String(32), nullable=False),
        sa.Column("folder", sa.String(800), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    for table in ("suspects", "deposits", "accounts", "fiduciaries"):
        op.drop_table(table)
