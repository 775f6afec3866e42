"""The credit ledger: double entry in SQLite, one writer with group commit."""
