"""Clients of a ledger in a process that is killed: argv is the ledger's file, standard input the keys to begin with.

Each line on standard output says what was acknowledged, written before anything else is done.
"""

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

from payment.clock import SystemClock
from payment.ledger.book import open_ledger
from payment.records import Answer, Key, Terms

CLIENTS = 16


class Nobody:
    def group(self, outcomes, commit_seconds):
        pass


def say(what, key, **more):
    os.write(1, json.dumps({"what": what, "key": key, **more}).encode() + b"\n")


async def pay(ledger, account, key):
    """One paid reading, under a key; every fifth fails and is given back."""
    say("begun", key, account=account)
    outcome = await ledger.hold(account, Key(key, hashlib.sha256(key.encode()).digest(), key), 1)
    if isinstance(outcome, Answer):
        say("replayed", key, status=outcome.status, body=outcome.body.decode())
        return
    say("held", key)
    failed = int(key.rpartition("-")[2]) % 5 == 0
    settle, status = (ledger.void, 503) if failed else (ledger.capture, 201)
    await settle(account, outcome.id, key, Answer(status, key.encode()))
    say("settled", key, status=status, body=key)


async def client(ledger, account, keys, round_):
    await ledger.open_account(account, 1_000_000)
    for key in keys:
        await pay(ledger, account, key)
    for number in range(1_000_000 if round_ else 0):
        await pay(ledger, account, f"{account}-{round_}-{number}")


async def main():
    path, round_ = Path(sys.argv[1]), int(sys.argv[2])
    unfinished = json.load(sys.stdin)
    async with open_ledger(path, Terms(), SystemClock(), Nobody()) as ledger:
        accounts = [f"c{number}" for number in range(CLIENTS)]
        await asyncio.gather(*(client(ledger, name, unfinished.get(name, []), round_) for name in accounts))


asyncio.run(main())
