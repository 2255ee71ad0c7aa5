"""Dossiers whose folder cannot be reached, and how many documents a round left at their source for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("dossier", sa.String(16), nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("origin", "dossier", name="pk_pauses"),
    )
    op.add_column("rounds", sa.Column("paused", sa.Integer, nullable=False, server_default="0"))
