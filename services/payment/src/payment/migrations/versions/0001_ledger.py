"""The ledger, as SQLite's schema.sql has it."""

from __future__ import annotations

from alembic import op

from payment.migrations import script

revision = "0001"
down_revision = None

_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM transfer) AND NOT EXISTS (SELECT 1 FROM account WHERE house = 0)"


def upgrade() -> None:
    """Make the tables and what guards them."""
    op.get_bind().exec_driver_sql(script("0001_ledger.sql"), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Drop them, as long as nobody has an account: books are not deleted. Raises RuntimeError."""
    bind = op.get_bind()
    bind.exec_driver_sql("LOCK TABLE account, transfer")
    if not bind.exec_driver_sql(_EMPTY).scalar():
        raise RuntimeError("the ledger has accounts, and is never deleted: drop the database yourself to lose them")
    bind.exec_driver_sql("DROP TABLE feedback, topup, idempotency, transfer, account")
    bind.exec_driver_sql("DROP FUNCTION refuse(), settles_its_own(), moves_credits(), moves_the_houses_credits()")
