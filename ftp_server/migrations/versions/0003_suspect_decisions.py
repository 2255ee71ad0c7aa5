"""What was decided of each doubtful file, and when that was carried out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "suspect_decisions",
        sa.Column("suspect", sa.String(32), sa.ForeignKey("suspects.id"), primary_key=True),
        sa.Column("decision", sa.String(12), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("decided_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
    )


def downgrade() -> None:
    op.drop_table("suspect_decisions")
