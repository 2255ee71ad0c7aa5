"""The mails that were met, and what was decided for their files."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", _key, nullable=False),
        sa.Column("source", sa.String(400), nullable=False),
        sa.Column("generation", sa.String(32), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.String(250), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("found", sa.DateTime, nullable=False),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.Column("failure", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
    )
    op.create_index("ix_mails_message", "mails", ["source", "generation", "number"], unique=True)
    op.create_index("ix_mails_sha256", "mails", ["sha256"])
    op.create_table(
        "mail_files",
        sa.Column("id", _key, nullable=False),
        sa.Column("mail", _key, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("dossier", sa.String(16)),
        sa.Column("rule", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_mail_files"),
    )
    op.create_index("ix_mail_files_mail", "mail_files", ["mail"])
