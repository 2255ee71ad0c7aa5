"""Deposits found by their time instead of their retry key: an index in no order cost each deposit a page of its own."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_index("ix_deposits_retry_key", "deposits")
    op.create_index("ix_deposits_received_at", "deposits", ["received_at"])


def downgrade() -> None:
    op.drop_index("ix_deposits_received_at", "deposits")
    op.create_index("ix_deposits_retry_key", "deposits", ["retry_key"])
