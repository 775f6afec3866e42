-- The ledger, version 1. Amounts are whole credits, times are milliseconds since 1970 (UTC).
-- Balances are moved by triggers alone: no code can move one without its transfer, or a transfer without its balances.

CREATE TABLE account (
    id        TEXT PRIMARY KEY,
    house     INTEGER NOT NULL CHECK (house IN (0, 1)),
    posted    INTEGER NOT NULL DEFAULT 0,  -- what transfers have moved here
    held      INTEGER NOT NULL DEFAULT 0,  -- the part of it that pending transfers reserve
    opened_at INTEGER NOT NULL,
    CHECK (held >= 0),
    CHECK (house OR (posted BETWEEN 0 AND 1000000000 AND posted - held >= 0))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER account_starts_empty BEFORE INSERT ON account
WHEN NEW.posted <> 0 OR NEW.held <> 0
BEGIN SELECT RAISE(ABORT, 'credits come by transfers only'); END;

CREATE TRIGGER account_stays_itself BEFORE UPDATE OF id, house, opened_at ON account
BEGIN SELECT RAISE(ABORT, 'an account keeps its name and kind'); END;

CREATE TRIGGER account_stays BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'accounts are never deleted'); END;

-- Step 1 opens a matter (direct, or pending); step 2 settles a pending one, once: the primary key sees to it.
-- `ref` begins with the time it was made at, so that new rows go to the end of the tree however large it is.
CREATE TABLE transfer (
    ref     TEXT NOT NULL,
    step    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    debit   TEXT NOT NULL REFERENCES account (id),
    credit  TEXT NOT NULL REFERENCES account (id),
    amount  INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 1000000),
    key     TEXT,  -- the idempotency key that asked for it
    made_at INTEGER NOT NULL,
    PRIMARY KEY (ref, step),
    CHECK (step = 1 AND kind IN ('direct', 'pending') OR step = 2 AND kind IN ('posted', 'voided', 'expired')),
    CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER transfer_is_new BEFORE INSERT ON transfer
WHEN EXISTS (SELECT 1 FROM transfer WHERE ref = NEW.ref AND step = NEW.step)  -- INSERT OR REPLACE must not pass
BEGIN SELECT RAISE(ABORT, 'transfers never change'); END;

CREATE TRIGGER transfer_settles_its_own BEFORE INSERT ON transfer
WHEN NEW.step = 2 AND NOT EXISTS (
    SELECT 1 FROM transfer
    WHERE ref = NEW.ref AND step = 1 AND kind = 'pending'
      AND debit = NEW.debit AND credit = NEW.credit AND amount = NEW.amount)
BEGIN SELECT RAISE(ABORT, 'there is no such pending transfer'); END;

CREATE TRIGGER transfer_moves_credits AFTER INSERT ON transfer
BEGIN
    UPDATE account
    SET posted = posted - CASE WHEN NEW.kind IN ('direct', 'posted') THEN NEW.amount ELSE 0 END,
        held = held + CASE WHEN NEW.step = 2 THEN -NEW.amount WHEN NEW.kind = 'pending' THEN NEW.amount ELSE 0 END
    WHERE id = NEW.debit;
    UPDATE account SET posted = posted + NEW.amount WHERE id = NEW.credit AND NEW.kind IN ('direct', 'posted');
END;

CREATE TRIGGER transfer_never_changes BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfers never change'); END;

CREATE TRIGGER transfer_stays BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfers never change'); END;

-- What a key was used for and, once finished, what was answered. In flight: status is NULL.
CREATE TABLE idempotency (
    id          INTEGER PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES account (id),
    operation   TEXT NOT NULL CHECK (operation IN ('hold', 'topup')),
    key         TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    ref         TEXT NOT NULL,
    attempt     TEXT NOT NULL,
    lease_until INTEGER NOT NULL,  -- until then the attempt has the matter to itself
    kept_until  INTEGER NOT NULL,  -- in flight: then the matter expires; finished: then the row may go
    status      INTEGER CHECK (status BETWEEN 100 AND 599),
    body        BLOB CHECK (length(body) <= 8192),
    UNIQUE (account, operation, key),
    CHECK ((status IS NULL) = (body IS NULL))
) STRICT;

CREATE INDEX idempotency_in_flight ON idempotency (kept_until) WHERE status IS NULL;

CREATE TRIGGER idempotency_answers_once BEFORE UPDATE ON idempotency
WHEN OLD.status IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an answer never changes'); END;

-- The card is known by its last four digits only.
CREATE TABLE topup (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES account (id),
    credits    INTEGER NOT NULL CHECK (credits BETWEEN 1 AND 10000),
    card_last4 TEXT NOT NULL CHECK (length(card_last4) = 4),
    begun_at   INTEGER NOT NULL,
    status     TEXT CHECK (status IN ('approved', 'review', 'declined')),
    decided_by TEXT CHECK (decided_by IN ('model', 'rules')),
    CHECK ((status IS NULL) = (decided_by IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX topup_recent ON topup (account, begun_at);

CREATE TRIGGER topup_is_decided_once BEFORE UPDATE ON topup
WHEN OLD.status IS NOT NULL OR NEW.id <> OLD.id OR NEW.account <> OLD.account OR NEW.credits <> OLD.credits
BEGIN SELECT RAISE(ABORT, 'a top-up is decided once'); END;

CREATE TRIGGER topup_stays BEFORE DELETE ON topup
BEGIN SELECT RAISE(ABORT, 'top-ups are never deleted'); END;

CREATE TABLE feedback (
    charge   TEXT PRIMARY KEY,
    label    INTEGER NOT NULL CHECK (label BETWEEN 0 AND 9),
    given_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER feedback_never_changes BEFORE UPDATE ON feedback
BEGIN SELECT RAISE(ABORT, 'feedback never changes'); END;

CREATE TRIGGER feedback_stays BEFORE DELETE ON feedback
BEGIN SELECT RAISE(ABORT, 'feedback never changes'); END;

INSERT INTO account (id, house, opened_at) VALUES
    ('house:grants', 1, 0), ('house:revenue', 1, 0), ('house:topups', 1, 0);
