"""Opening accounts and reading them."""

from __future__ import annotations

from payment.errors import NotFound
from payment.ledger.transaction import Transaction
from payment.records import Account

_FIND = "SELECT posted, held FROM account WHERE id = ? AND house = 0"
# Where several processes write, another may have opened it since: whoever comes second finds it done.
_OPEN = "INSERT INTO account (id, house, opened_at) VALUES (?, 0, ?) ON CONFLICT (id) DO NOTHING"
_GRANT = (
    "INSERT INTO transfer (ref, step, kind, debit, credit, amount, made_at)"
    " VALUES (?, 1, 'direct', 'house:grants', ?, ?, ?)"
)


def open_account(tx: Transaction, account: str, grant: int) -> Account:
    """Open an account with a grant; one that exists is answered as it is."""
    row = tx.execute(_FIND, (account,)).fetchone()
    if row is not None:
        return Account(account, *row)
    if not tx.change(_OPEN, (account, tx.now)):
        return read_account(tx, account)
    if grant:
        tx.write(_GRANT, (tx.new_ref("grt"), account, grant, tx.now))
    return Account(account, grant, 0)


def read_account(tx: Transaction, account: str) -> Account:
    """Balance and held credits. Raises NotFound."""
    row = tx.execute(_FIND, (account,)).fetchone()
    if row is None:
        raise NotFound("account")
    return Account(account, *row)
