import asyncio

import pytest

from payment.auditor import audit_every
from payment.records import Audit, DecidedBy, TopUpStatus

LOOSENED = {
    "sqlite": (
        "CREATE TABLE loose AS SELECT * FROM account",
        "DROP TABLE account",
        "ALTER TABLE loose RENAME TO account",
    ),
    "postgres": ("ALTER TABLE account DROP CONSTRAINT account_limits",),
}


@pytest.fixture
def used(bank, key, answer):
    """A bank in which everything happened once, and nothing is wrong."""
    return use(bank, key, answer)


def use(bank, key, answer):

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        for number in range(3):
            charge = await ledger.hold("ann", key(f"k{number}"), 1)
            await ledger.capture("ann", charge.id, "a1", answer)
        await ledger.record_feedback("ann", charge.id, 7)
        voided = await ledger.hold("ann", key("voided"), 1)
        await ledger.void("ann", voided.id, "a1", answer)
        await ledger.hold("ann", key("expired"), 1)
        bank.clock.forward(seconds=60)
        await ledger.sweep()
        await ledger.hold("ann", key("held"), 2)
        for number, status in enumerate(TopUpStatus):
            begun = await ledger.begin_top_up("ann", key(f"t{number}"), 50, "4242")
            await ledger.finish_top_up("ann", key(f"t{number}"), begun.id, status, DecidedBy.MODEL)
        assert await ledger.audit() == Audit((), 1, 13, 1)

    bank.run(scenario)
    return bank


def spoil(bank, *statements):
    """Corrupt what the guards would not let pass; then audit."""
    bank.corrupt(*(statement.format(blob=bank.blob) for statement in statements))
    return bank.run(lambda ledger: ledger.audit()).findings


CAPTURED = "(SELECT min(ref) FROM transfer WHERE kind = 'posted')"
HELD = "(SELECT ref FROM idempotency WHERE status IS NULL)"


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE account SET posted = posted + 1 WHERE id = 'ann'", "debits and credits differ by 1."),
        ("UPDATE account SET posted = posted + 1 WHERE id = 'ann'", "account ann has 68 posted and 2 held; its"),
        ("UPDATE account SET held = held - 1 WHERE id = 'ann'", "account ann has 67 posted and 1 held; its"),
        ("UPDATE transfer SET amount = 2 WHERE kind = 'posted'", "settles nothing of the kind"),
        (f"DELETE FROM transfer WHERE step = 1 AND ref = {CAPTURED}", "settles nothing of the kind"),
        (f"DELETE FROM transfer WHERE ref = {HELD}", "is in flight and its charge"),
        ("DELETE FROM idempotency WHERE status IS NULL", "is held and no key stands for it"),
        (f"DELETE FROM idempotency WHERE ref = {CAPTURED}", "was captured and its answer is not kept"),
        (f"UPDATE idempotency SET status = 201, body = {{blob}} WHERE ref = {HELD}", "is finished and its charge"),
        (f"DELETE FROM transfer WHERE step = 2 AND ref = {CAPTURED}", "is finished and its charge"),
        ("UPDATE transfer SET key = 'same' WHERE kind = 'pending'", "a key of account ann was charged twice"),
        (
            "INSERT INTO transfer VALUES ('grt_x', 1, 'direct', 'house:grants', 'ann', 5, NULL, 0)",
            "account ann was granted credits 2 times.",
        ),
        ("UPDATE topup SET status = 'declined' WHERE status = 'approved'", "is declined and credits were posted"),
        ("UPDATE topup SET status = 'approved' WHERE status = 'review'", "its credits were not posted"),
        ("DELETE FROM topup WHERE status = 'approved'", "posts credits of no top-up"),
        ("UPDATE feedback SET charge = 'chg_x'", "feedback is kept on chg_x, which was not captured."),
        ("DELETE FROM account WHERE id = 'ann'", "A row of transfer names an unknown row of account."),
    ],
)
def test_it_finds(used, statement, finding):
    """A planted fault is told in a sentence."""
    findings = spoil(used, statement)
    assert any(finding in one for one in findings), findings


def test_it_finds_an_overdrawn_account(used):
    """Even where the limits themselves were switched off."""
    assert spoil(used) == ()
    findings = spoil(used, *LOOSENED[used.kind], "UPDATE account SET posted = -3 WHERE id = 'ann'")
    assert "account ann is overdrawn: -3 posted, 2 held." in findings
    part = {"sqlite": "table account", "postgres": "limit account_limits"}[used.kind]
    assert f"The {part} is missing or changed." in findings


def test_it_finds_missing_guards(used):
    """A ledger without its triggers is not to be trusted, even when it adds up."""
    used.sql("DROP TRIGGER transfer_never_changes" + (" ON transfer" if used.kind == "postgres" else ""))
    assert used.run(lambda ledger: ledger.audit()).findings == (
        "The trigger transfer_never_changes is missing or changed.",
    )


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("ALTER TABLE transfer DISABLE TRIGGER transfer_stays", "The trigger transfer_stays is missing or changed."),
        ("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", "function"),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'topup_recent'::regclass", "index topup_recent"),
    ],
)
def test_it_finds_guards_that_were_disarmed(postgres_bank, statement, finding):
    """What stands there and does not work is as good as missing."""
    postgres_bank.sql(statement)
    findings = postgres_bank.run(lambda ledger: ledger.audit()).findings
    assert len(findings) == 1
    assert finding in findings[0]


def test_it_finds_damage(sqlite_bank, key, answer):
    """Bytes that are not what SQLite wrote."""
    used = use(sqlite_bank, key, answer)
    used.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    page = used.sql("SELECT rootpage FROM sqlite_master WHERE name = 'transfer'")[0][0]
    size = used.sql("PRAGMA page_size")[0][0]
    with used.path.open("r+b") as file:
        file.seek((page - 1) * size + size - 40)
        file.write(b"\xff" * 20)
    assert used.run(lambda ledger: ledger.audit()).findings


def test_it_tells_the_first_of_many(used):
    """A broken ledger's report can still be read."""
    findings = spoil(
        used,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
        " INSERT INTO feedback SELECT 'chg_' || i, 1, 0 FROM n",
    )
    assert len(findings) == 21
    assert findings[-1] == "There are 30 more of this kind."


def test_it_goes_on_by_itself(used, until):
    """While the ledger is served: what is wrong is told to whoever counts, and again when it is mended."""

    async def scenario(ledger):
        audits = used.witness.audits
        task = asyncio.create_task(audit_every(0.01, ledger, used.witness))
        await until(lambda: audits)
        assert audits[-1].sound
        used.corrupt("UPDATE account SET held = held + 1 WHERE id = 'ann'")
        await until(lambda: not audits[-1].sound)
        used.corrupt("UPDATE account SET held = held - 1 WHERE id = 'ann'")
        await until(lambda: audits[-1].sound)
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)

    used.run(scenario)
