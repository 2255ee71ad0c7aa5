"""Alarms and who was told of them; rounds that fail in a row; several sources of a kind; an index."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", _key, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("ended", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
    )
    op.create_index("ix_alarms_ended", "alarms", ["ended"])
    op.create_table(
        "alarm_notices",
        sa.Column("id", _key, nullable=False),
        sa.Column("alarm", _key, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.DateTime),
        sa.Column("sent", sa.DateTime),
        sa.Column("failure", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_notices"),
    )
    op.create_index("ix_alarm_notices_next_try", "alarm_notices", ["next_try"])
    op.drop_index("ix_documents_dossier", "documents")
    op.create_index("ix_documents_dossier_id", "documents", ["dossier", "id"])
    op.add_column("rounds", sa.Column("failures", sa.Integer, nullable=False, server_default="0"))
    _lengthen("rounds", "source")
    _lengthen("lease", "name")
    _lengthen("pauses", "origin", "dossier")


def _lengthen(table: str, key: str, *others: str) -> None:
    """Let a table's key hold 255 characters; SQL Server changes no column that a key stands on."""
    on_server = op.get_bind().dialect.name == "mssql"
    if on_server:
        op.drop_constraint(f"pk_{table}", table, type_="primary")
    with op.batch_alter_table(table) as batch:
        batch.alter_column(key, existing_type=sa.String(16), type_=sa.String(255), existing_nullable=False)
    if on_server:
        op.create_primary_key(f"pk_{table}", table, [key, *others])
