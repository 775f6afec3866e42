from concurrent.futures import ThreadPoolExecutor

import pytest

from payment.ledger.sqlite_file import connect
from payment.ledger.store import WrongSchema
from payment.records import DecidedBy, TopUpStatus


@pytest.fixture
def used(bank, key, answer):
    """A bank with one captured and one held charge, an approved top-up and one feedback."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k1"), 1)
        await ledger.capture("ann", charge.id, "a1", answer)
        await ledger.record_feedback("ann", charge.id, 7)
        await ledger.hold("ann", key("k2"), 2)
        begun = await ledger.begin_top_up("ann", key("k3"), 50, "4242")
        await ledger.finish_top_up("ann", key("k3"), begun.id, TopUpStatus.APPROVED, DecidedBy.MODEL)

    bank.run(scenario)
    return bank


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE transfer SET amount = 2", "transfers never change"),
        ("DELETE FROM transfer", "transfers never change"),
        ("DELETE FROM account WHERE id = 'ann'", "accounts are never deleted"),
        ("UPDATE account SET house = 1 WHERE id = 'ann'", "an account keeps its name and kind"),
        ("INSERT INTO account VALUES ('bob', 0, 10, 0, 0)", "credits come by transfers only"),
        ("UPDATE idempotency SET status = 500, body = {blob} WHERE key = 'k1'", "an answer never changes"),
        ("UPDATE topup SET status = 'declined'", "a top-up is decided once"),
        ("DELETE FROM topup", "top-ups are never deleted"),
        ("UPDATE feedback SET label = 1", "feedback never changes"),
        ("DELETE FROM feedback", "feedback never changes"),
        ("UPDATE account SET posted = -1 WHERE id = 'ann'", "(?i)check"),
        ("UPDATE account SET held = posted + 1 WHERE id = 'ann'", "(?i)check"),
        ("UPDATE account SET posted = 1000000001 WHERE id = 'ann'", "(?i)check"),
        ("UPDATE account SET held = -1 WHERE id = 'house:revenue'", "(?i)check"),
    ],
)
def test_the_database_itself_refuses(used, statement, message):
    """Whoever opens the database with whatever program meets the same rules."""
    with pytest.raises(used.refuses, match=message):
        used.sql(statement.format(blob=used.blob))


OWN_WAYS = {
    "sqlite": [
        ("REPLACE INTO transfer SELECT * FROM transfer", "transfers never change"),
        ("INSERT INTO transfer VALUES ('t', 1, 'direct', 'house:grants', 'ann', 1.5, NULL, 0)", "cannot store REAL"),
    ],
    "postgres": [
        (
            "INSERT INTO transfer SELECT * FROM transfer WHERE step = 1"
            " ON CONFLICT (ref, step) DO UPDATE SET amount = 3",
            "transfers never change",
        ),
        ("TRUNCATE transfer", "transfers never change"),
        ("TRUNCATE account CASCADE", "accounts are never deleted"),
        ("TRUNCATE topup", "top-ups are never deleted"),
        ("TRUNCATE feedback", "feedback never changes"),
    ],
}


def test_the_database_s_own_ways_round_are_closed(used):
    """What only one of the two can be asked."""
    for statement, message in OWN_WAYS[used.kind]:
        with pytest.raises(used.refuses, match=message):
            used.sql(statement)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("('t', 1, 'direct', 'ann', 'house:revenue', 70, NULL, 0)", "(?i)check"),  # more than the account has
        ("('t', 1, 'pending', 'ann', 'house:revenue', 68, NULL, 0)", "(?i)check"),  # more than is available
        ("('t', 1, 'direct', 'house:grants', 'ann', 0, NULL, 0)", "(?i)check"),
        ("('t', 1, 'direct', 'house:grants', 'ann', 1000001, NULL, 0)", "(?i)check"),
        ("('t', 1, 'posted', 'house:grants', 'ann', 1, NULL, 0)", "(?i)check"),
        ("('t', 1, 'direct', 'ann', 'ann', 1, NULL, 0)", "(?i)check"),
        ("('t', 1, 'direct', 'house:grants', 'nobody', 1, NULL, 0)", "(?i)foreign key"),
        ("('t', 2, 'posted', 'ann', 'house:revenue', 1, NULL, 0)", "no such pending transfer"),
    ],
)
def test_the_database_refuses_transfers_that_make_no_sense(used, values, message):
    """Balances' limits, amounts, kinds and counterparts are the schema's own business."""
    with pytest.raises(used.refuses, match=message):
        used.sql(f"INSERT INTO transfer VALUES {values}")


@pytest.mark.parametrize("changed", ["amount + 1", "amount"])
def test_a_pending_transfer_is_settled_once_and_as_it_is(used, changed):
    """A settlement repeats its pending transfer's accounts and amount, and there is only one."""
    statement = f"""
        INSERT INTO transfer SELECT ref, 2, 'posted', debit, credit, {changed}, NULL, 0 FROM transfer
        WHERE kind = 'pending' AND amount = ?"""
    with pytest.raises(used.refuses):
        used.sql(statement, 1)  # it is captured already
    if changed == "amount":
        used.sql(statement, 2)
        assert used.sql("SELECT posted, held FROM account WHERE id = 'ann'") == [(67, 0)]


def test_durability_is_on(tmp_path):
    """WAL, FULL, foreign keys: what the promises rest on."""
    connection = connect(tmp_path / "payment.sqlite3")
    found = [connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("journal_mode", "synchronous", "foreign_keys")]
    connection.close()
    assert found == ["wal", 2, 1]


def test_a_ledger_of_another_version_is_refused(sqlite_bank):
    """Better no service than one that misreads the books."""
    connect(sqlite_bank.path).close()
    sqlite_bank.sql("PRAGMA user_version = 99")
    with pytest.raises(WrongSchema, match="99"):
        connect(sqlite_bank.path)


def test_processes_that_start_at_once_make_one_schema(tmp_path):
    """Whoever comes second finds it done."""
    with ThreadPoolExecutor(8) as pool:
        for connection in pool.map(connect, [tmp_path / "payment.sqlite3"] * 8):
            connection.close()
    connection = connect(tmp_path / "payment.sqlite3")
    assert connection.execute("SELECT count(*) FROM account").fetchone() == (3,)
    connection.close()
