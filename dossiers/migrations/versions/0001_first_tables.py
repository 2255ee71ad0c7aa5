"""Dossiers, documents, assignments, journal, settings, lease and rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dossiers",
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("enterprise", sa.String(10)),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("write_user", sa.String(64)),
        sa.Column("write_password", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_dossiers"),
    )
    op.create_table(
        "documents",
        sa.Column("id", _key, nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("source_size", sa.BigInteger),
        sa.Column("source_modified", sa.String(32)),
        sa.Column("source_sha256", sa.String(64)),
        sa.Column("dossier", sa.String(16)),
        sa.Column("reason", sa.String(64)),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("placed", sa.String(255)),
        sa.Column("placed_key", sa.String(255)),
        sa.Column("size", sa.BigInteger),
        sa.Column("sha256", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("found", sa.DateTime, nullable=False),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.Column("failure", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_index("ix_documents_state", "documents", ["state"])
    op.create_index("ix_documents_dossier", "documents", ["dossier"])
    op.create_table(
        "assignments",
        sa.Column("document", _key, nullable=False, autoincrement=False),
        sa.Column("dossier", sa.String(16), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("placed", sa.String(255)),
        sa.Column("placed_key", sa.String(255)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("document", name="pk_assignments"),
    )
    op.create_table(
        "journal",
        sa.Column("id", _key, nullable=False),
        sa.Column("document", _key, nullable=False),
        sa.Column("dossier", sa.String(16)),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("machine", sa.String(255), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("sha256", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
    )
    op.create_index("ix_journal_document", "journal", ["document"])
    op.create_index("ix_journal_dossier", "journal", ["dossier"])
    op.create_table(
        "settings",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("machine", sa.String(255), nullable=False),
        sa.Column("process", sa.Integer, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("heartbeat", sa.DateTime, nullable=False),
        sa.Column("expires", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "rounds",
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("started", sa.DateTime, nullable=False),
        sa.Column("ended", sa.DateTime),
        sa.Column("failure", sa.String(64)),
        sa.Column("delivered", sa.Integer, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("next", sa.DateTime),
        sa.PrimaryKeyConstraint("source", name="pk_rounds"),
    )
