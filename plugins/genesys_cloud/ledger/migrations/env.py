"""Alembic's entry: it migrates over the connection that `database.upgrade` hands in."""

from alembic import context

from genesys_cloud.ledger.page_tables import previews

context.configure(
    connection=context.config.attributes["connection"], target_metadata=previews.metadata
)
with context.begin_transaction():
    context.run_migrations()
