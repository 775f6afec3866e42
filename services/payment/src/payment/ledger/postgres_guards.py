"""What must stand in a PostgreSQL ledger besides its rows, read from the text of the migrations that made it."""

from __future__ import annotations

import re

from payment.migrations import scripts

PRESENT = """
SELECT 'table', c.relname::text, '' FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'trigger', t.tgname::text, t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'function', p.proname::text, p.prosrc FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
UNION ALL
SELECT 'limit', n.conname::text, n.convalidated::text FROM pg_constraint n
WHERE n.contype IN ('c', 'f', 'u') AND n.connamespace = current_schema()::regnamespace
"""
"""Kind, name, and what must be equal: a function's text, that a trigger fires ('O'), that a limit holds for all."""

_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.M)
_TRIGGER = re.compile(r"^CREATE (?:CONSTRAINT )?TRIGGER (\w+)", re.M)
_FUNCTION = re.compile(r"^CREATE (?:OR REPLACE )?FUNCTION (\w+)\(.*?AS \$\$(.*?)\$\$", re.M | re.S)
_LIMIT = re.compile(r"\bCONSTRAINT (\w+) (?:CHECK|UNIQUE|REFERENCES)")


def wanted() -> dict[tuple[str, str], str]:
    """The same, as the migrations say; a later one's words count."""
    text = "\n".join(scripts())
    return (
        {("table", name): "" for name in _TABLE.findall(text)}
        | {("trigger", name): "O" for name in _TRIGGER.findall(text)}
        | {("function", name): body for name, body in _FUNCTION.findall(text)}
        | {("limit", name): "true" for name in _LIMIT.findall(text)}
    )
