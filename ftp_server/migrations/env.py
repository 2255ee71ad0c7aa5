"""Runs the server's migrations on the connection that opened the database; never opens one itself."""

from alembic import context

from ftp_server.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
