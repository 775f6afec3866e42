"""What Alembic runs around the revisions: the connection is handed in by `payment.migrating`."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Run the revisions in the transaction that the caller has begun."""
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # Alembic's name for it; importing it does nothing
    run()
