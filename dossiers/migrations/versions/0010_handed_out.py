"""Who was handed which login, and an index for where a sender's documents went."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "handed_out",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("dossier", sa.String(16), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(255)),
        sa.Column("receiver", sa.String(200)),
        sa.Column("revoked", sa.DateTime),
        sa.Column("revoked_by", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_handed_out"),
    )
    op.create_index("ix_handed_out_dossier", "handed_out", ["dossier"])
    op.create_index("ix_handed_out_login", "handed_out", ["login"])
    op.create_index("ix_documents_sender", "documents", ["sender"])
