"""Dossiers that are renamed, archived and named by e-mail addresses; the kind of a document."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("dossiers", sa.Column("folder_name", sa.String(200)))
    op.add_column("dossiers", sa.Column("archived", sa.DateTime))
    op.add_column("documents", sa.Column("kind", sa.String(180)))
    op.create_table(
        "dossier_addresses",
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("dossier", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_dossier_addresses"),
    )
    op.create_index("ix_dossier_addresses_dossier", "dossier_addresses", ["dossier"])
