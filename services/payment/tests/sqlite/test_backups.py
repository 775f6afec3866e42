import asyncio
import subprocess
import sys
from contextlib import closing

import pytest

from payment.ledger.auditing import audit
from payment.ledger.stores import open_store
from payment.records import Account, Terms


def command(address, *words):
    return subprocess.run(
        [sys.executable, "-m", "payment", *words],
        env={"PAYMENT_DATABASE": str(address)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def restored(path, bank):
    with closing(open_store(str(path))) as store:
        return audit(store, bank.clock.now(), Terms())


def test_a_backup_made_while_payment_serves_is_sound_and_can_be_restored(sqlite_bank, key, answer, tmp_path):
    """It is the ledger as of one moment: everything that was acknowledged before it began is in it."""
    copy, fresh = tmp_path / "copy.sqlite3", tmp_path / "fresh" / "payment.sqlite3"
    opening = 1_000_000  # more than the ledger can spend before the command ends

    async def scenario(ledger):
        await ledger.open_account("ann", opening)
        going = asyncio.create_task(asyncio.to_thread(command, sqlite_bank.address, "backup", copy))
        number = 0
        while not going.done():
            charge = await ledger.hold("ann", key(f"k{number}"), 1)
            await ledger.capture("ann", charge.id, "a1", answer)
            number += 1
        done = await going
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("sound; 1 accounts, ")
        assert number > 0

    sqlite_bank.run(scenario)
    done = command(fresh, "restore", copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert restored(fresh, sqlite_bank).findings == ()
    assert sorted(file.name for file in fresh.parent.iterdir()) == ["payment.sqlite3"]
    sqlite_bank.address = str(fresh)
    after = sqlite_bank.run(lambda ledger: ledger.account("ann"))
    paid = sqlite_bank.sql("SELECT count(*) FROM transfer WHERE kind = 'posted'")[0][0]
    assert after == Account("ann", opening - paid, after.held)
    assert sqlite_bank.run(lambda ledger: ledger.open_account("bob", 5)) == Account("bob", 5, 0)


def test_nothing_is_written_over(sqlite_bank, tmp_path):
    """Neither a backup nor a ledger."""
    sqlite_bank.run(lambda ledger: ledger.open_account("ann", 20))
    copy = tmp_path / "copy.sqlite3"
    assert command(sqlite_bank.address, "backup", copy).returncode == 0
    again = command(sqlite_bank.address, "backup", copy)
    assert (again.returncode, again.stderr) == (1, f"payment: {copy} exists already: name a new file\n")
    over = command(sqlite_bank.address, "restore", copy)
    assert over.returncode == 1
    assert "exists already: stop payment and move it away first" in over.stderr
    sqlite_bank.path.rename(tmp_path / "away")
    (tmp_path / f"{sqlite_bank.path.name}-wal").write_bytes(b"left behind")
    over = command(sqlite_bank.address, "restore", copy)
    assert over.stderr.startswith(f"payment: {sqlite_bank.path}-wal exists already")


@pytest.mark.parametrize("content", [None, b"this is not a ledger" * 100])
def test_only_a_ledger_is_restored(tmp_path, content):
    """And nothing is left behind."""
    copy, path = tmp_path / "copy.sqlite3", tmp_path / "payment.sqlite3"
    if content is not None:
        copy.write_bytes(content)
    done = command(path, "restore", copy)
    assert done.returncode == 1
    assert f"{copy} cannot be read" in done.stderr
    assert not path.exists()


def test_a_copy_that_does_not_add_up_is_not_restored(sqlite_bank, tmp_path):
    """The first finding is told."""
    sqlite_bank.run(lambda ledger: ledger.open_account("ann", 20))
    copy, path = tmp_path / "copy.sqlite3", tmp_path / "new.sqlite3"
    command(sqlite_bank.address, "backup", copy)
    sqlite_bank.address = str(copy)
    sqlite_bank.sql("UPDATE account SET posted = 21 WHERE id = 'ann'")
    done = command(path, "restore", copy)
    assert done.returncode == 1
    assert "is not sound, nothing was restored: debits and credits differ by 1." in done.stderr
    assert not path.exists()
