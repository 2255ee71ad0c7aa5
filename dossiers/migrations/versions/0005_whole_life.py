"""Who sent a document and from where, its first twin, and what each step of the journal tells."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_DOCUMENTS = (
    sa.Column("sender", sa.String(255)),
    sa.Column("peer", sa.String(64)),
    sa.Column("source_receipt", sa.String(64)),
    sa.Column("duplicate_of", sa.BigInteger),
    sa.Column("processed", sa.DateTime),
)
_JOURNAL = (
    sa.Column("size", sa.BigInteger),
    sa.Column("actor", sa.String(255)),
    sa.Column("place", sa.Text),
    sa.Column("detail", sa.Text),
)


def upgrade() -> None:
    for table, columns in (("documents", _DOCUMENTS), ("journal", _JOURNAL)):
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_documents_sha256", "documents", ["sha256"])
    op.create_index("ix_journal_at", "journal", ["at"])
