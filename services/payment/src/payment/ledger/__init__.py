"""The credit ledger: double entry, one writer with group commit; its rules once, its database SQLite or PostgreSQL."""
