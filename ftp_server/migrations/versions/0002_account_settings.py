"""What an account may be held to (end, networks, switches), a fiduciary's quota, and the number of the last change."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("fiduciaries", sa.Column("quota", sa.BigInteger))
    op.add_column("accounts", sa.Column("expires_at", sa.Float))
    op.add_column("accounts", sa.Column("networks", sa.Text, nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("close_notify", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("accounts", sa.Column("bound", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("accounts", sa.Column("stamp", sa.BigInteger, nullable=False, server_default="0"))
    changes = op.create_table("account_changes", sa.Column("number", sa.BigInteger, nullable=False))
    op.bulk_insert(changes, [{"number": 0}])


def downgrade() -> None:
    op.drop_table("account_changes")
    for column in ("stamp", "bound", "close_notify", "networks", "expires_at"):
        op.drop_column("accounts", column)
    op.drop_column("fiduciaries", "quota")
