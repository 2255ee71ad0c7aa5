"""The console's users, their sessions and deeds; indexes for the pages that a firm opens every morning."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_word = sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql")
_word = _word.with_variant(sa.String(40, collation="Latin1_General_BIN2"), "mssql")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", _key, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("every_dossier", sa.Boolean, nullable=False),
        sa.Column("one_time_key", sa.Text),
        sa.Column("one_time_step", sa.BigInteger, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("closed", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index("ix_users_name_key", "users", ["name_key"], unique=True)
    op.create_table(
        "user_dossiers",
        sa.Column("user", _key, nullable=False, autoincrement=False),
        sa.Column("dossier", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("user", "dossier", name="pk_user_dossiers"),
    )
    op.create_table(
        "user_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user", _key, nullable=False),
        sa.Column("began", sa.DateTime, nullable=False),
        sa.Column("seen", sa.DateTime, nullable=False),
        sa.Column("expires", sa.DateTime, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_user_sessions"),
    )
    op.create_index("ix_user_sessions_user", "user_sessions", ["user"])
    op.create_table(
        "deeds",
        sa.Column("id", _key, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("deed", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deeds"),
    )
    op.create_table(
        "search_words",
        sa.Column("id", _key, nullable=False),
        sa.Column("word", _word, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_words"),
    )
    op.create_index("ix_search_words_word", "search_words", ["word"], unique=True)
    op.create_table(
        "search_places",
        sa.Column("word", _key, nullable=False, autoincrement=False),
        sa.Column("document", _key, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("word", "document", name="pk_search_places"),
    )
    op.create_index("ix_documents_found", "documents", ["found", "origin", "dossier", "state"])
    op.create_index("ix_documents_ready", "documents", ["processed", "dossier", "id"])
