"""Runs the migrations on the connection that the caller hands over; there is no offline mode."""

from alembic import context

from bot.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter most of a table: batch mode copies it instead.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        # Two replicas that start at once upgrade one after the other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7811463295)")
    context.run_migrations()
