"""Runs the firm's migrations on the connection that opened the database; never opens one itself."""

from alembic import context

from dossiers.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="firm_version",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
