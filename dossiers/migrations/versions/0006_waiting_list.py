"""Refused documents, assignments that are undone, and who assigned."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("documents", sa.Column("refused", sa.DateTime))
    with op.batch_alter_table("assignments") as assignments:
        assignments.add_column(sa.Column("actor", sa.String(255)))
        assignments.alter_column("dossier", existing_type=sa.String(16), nullable=True)
