import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from payment.clock import SystemClock
from payment.ledger.auditing import audit
from payment.records import Terms

CHILD = Path(__file__).with_name("crash_child.py")
KILLS = 6


class Journal:
    """What the clients were told, by key; it outlives them."""

    def __init__(self):
        self.account, self.told = {}, {}

    def read(self, output):
        for line in output.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                continue  # killed while it was written
            entry = json.loads(line)
            key = entry["key"]
            if entry["what"] == "begun":
                self.account[key] = entry["account"]
            elif entry["what"] in {"settled", "replayed"}:
                answer = (entry["status"], entry["body"])
                assert self.told.setdefault(key, answer) == answer, f"{key} was told two things"

    def unfinished(self):
        left = {}
        for key, account in self.account.items():
            if key not in self.told:
                left.setdefault(account, []).append(key)
        return left


def live(path, journal, round_, seconds=None):
    """Let the clients work, for some seconds and then SIGKILL, or until they are done."""
    child = subprocess.Popen([sys.executable, CHILD, path, str(round_)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = [json.dumps(journal.unfinished()).encode()]
    child.stdin.write(said.pop())
    child.stdin.close()
    first = child.stdout.readline()
    output = [first]
    reader = threading.Thread(target=lambda: output.append(child.stdout.read()))
    reader.start()
    if seconds is not None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reader.join(deadline - time.monotonic())
        child.kill()
    reader.join(30)
    child.stdout.close()
    assert child.wait(30) == (-9 if seconds is not None else 0)
    journal.read(b"".join(output))


@pytest.mark.parametrize("seed", [random.randrange(1 << 32)])
def test_a_killed_ledger_loses_and_doubles_nothing(bank, seed):
    """Whatever was acknowledged before SIGKILL is there; every key ends with one charge and one answer."""
    chance, journal = random.Random(seed), Journal()
    for number in range(KILLS):
        live(bank.path, journal, number + 1, chance.uniform(0.05, 0.7))
        assert audit(bank.path, SystemClock().now(), Terms()).findings == ()
    acknowledged = len(journal.told)
    live(bank.path, journal, 0)
    assert acknowledged > 100
    assert journal.unfinished() == {}

    charges = bank.sql("""
        SELECT p.key, s.kind FROM transfer p LEFT JOIN transfer s ON s.ref = p.ref AND s.step = 2
        WHERE p.kind = 'pending'""")
    assert sorted(key for key, _ in charges) == sorted(journal.account), "one charge for each key"
    outcome = dict(charges)
    for key, (status, body) in journal.told.items():
        assert body == key
        assert outcome[key] == ("posted" if status == 201 else "voided")
    spent = {}
    for key, account in journal.account.items():
        spent[account] = spent.get(account, 0) + (journal.told[key][0] == 201)
    for account, posted, held in bank.sql("SELECT id, posted, held FROM account WHERE house = 0"):
        assert (posted, held) == (1_000_000 - spent.get(account, 0), 0)
    assert audit(bank.path, SystemClock().now(), Terms()).findings == ()
