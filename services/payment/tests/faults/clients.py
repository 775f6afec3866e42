"""Clients of payment that never give up, and their journal: what each key was told. The truth is compared with it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field

import grpc.aio
from stage import Books, Stage

from contracts import payment_v1_pb2 as wire
from contracts import payment_v1_pb2_grpc as wire_grpc

GRANT = 1_000_000
CARD = "4242424242424242"
_IMPATIENT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]
_AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
}


@dataclass
class Journal:
    """By (account, key): what was answered. It is the clients' own and outlives every process of payment."""

    begun: dict[tuple[str, str], int] = field(default_factory=dict)
    told: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    top_ups: dict[tuple[str, str], tuple[str, str, int]] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    repeats: int = 0

    def tell(self, name: tuple[str, str], answer: tuple[int, bytes]) -> None:
        assert self.told.setdefault(name, answer) == answer, f"{name} was told two things"

    def tell_top_up(self, name: tuple[str, str], ref: str, status: str, credits_: int) -> None:
        told = (ref, status, credits_)
        assert self.top_ups.setdefault(name, told) == told, f"{name} was told two things"

    @property
    def acknowledged(self) -> int:
        return len(self.told) + len(self.top_ups)


class Clients:
    """All clients of a stage. Each asks one replica after the other until it is answered."""

    def __init__(self, stage: Stage, journal: Journal) -> None:
        self.journal = journal
        self._channels = [grpc.aio.insecure_channel(f"127.0.0.1:{r.grpc}", _IMPATIENT) for r in stage.replicas]
        self._stubs = [wire_grpc.PaymentServiceStub(channel) for channel in self._channels]
        self._turns = itertools.cycle(self._stubs)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    async def call(self, method: str, request: object) -> object:
        """Until it is answered; a refusal that is not to be repeated is raised."""
        while True:
            try:
                return await getattr(next(self._turns), method)(request, timeout=3)
            except grpc.aio.AioRpcError as error:
                if error.code() not in _AGAIN:
                    raise
                self.journal.repeats += 1
                await asyncio.sleep(random.uniform(0.05, 0.3))  # a client's pause before it asks again

    async def open(self, account: str, credits_: int = GRANT) -> None:
        await self.call("OpenAccount", wire.OpenAccountRequest(account_id=account, credits=credits_))
        self.journal.accounts[account] = credits_

    async def pay(self, account: str, key: str, attempt: str, status: int = 201, amount: int = 1) -> None:
        """One paid reading; another status than 201 gives it back. Ends when it was answered."""
        name = (account, key)
        self.journal.begun[name] = amount
        meant = wire.IdempotencyKey(key=key, fingerprint=hashlib.sha256(key.encode()).digest(), attempt=attempt)
        request = wire.HoldRequest(account_id=account, key=meant, amount=amount)
        while True:
            outcome = await self.call("Hold", request)
            if outcome.HasField("finished"):
                self.journal.tell(name, (outcome.finished.status, outcome.finished.body))
                return
            answer = wire.StoredAnswer(status=status, body=f"{key} by {attempt}".encode())
            settle = wire.SettleRequest(
                account_id=account, charge_id=outcome.charge.charge_id, attempt=attempt, answer=answer
            )
            try:
                await self.call("Capture" if status == 201 else "Void", settle)
            except grpc.aio.AioRpcError as error:
                if dict(error.trailing_metadata()).get("x-inkmesh-problem") != "charge-not-held":
                    raise
                continue  # it expired: the clock jumped, or payment was away for too long
            self.journal.tell(name, (answer.status, answer.body))
            return

    async def top_up(self, account: str, key: str, attempt: str) -> None:
        meant = wire.IdempotencyKey(key=key, fingerprint=hashlib.sha256(key.encode()).digest(), attempt=attempt)
        done = await self.call("TopUp", wire.TopUpRequest(account_id=account, key=meant, credits=5, card=CARD))
        status = wire.TopUpStatus.Name(done.status).removeprefix("TOP_UP_STATUS_").lower()
        self.journal.tell_top_up((account, key), done.top_up_id, status, 5)

    async def work(self, account: str, stop: asyncio.Event) -> None:
        """One client's life: readings, some given back, some asked for again, and now and then a top-up."""
        await self.open(account)
        for number in itertools.count():
            if stop.is_set():
                return
            if number % 20 == 19:
                await self.top_up(account, f"t{number}", f"{account}-{number}")
                await self.top_up(account, f"t{number}", f"{account}-{number}-again")
                continue
            await self.pay(account, f"k{number}", f"{account}-{number}", 503 if number % 5 == 0 else 201)
            if number % 7 == 0:
                await self.pay(account, f"k{number}", f"{account}-{number}-again")


def verify(books: Books, journal: Journal) -> str:
    """Compare the journal with the ledger itself; a summary, when nothing was lost or doubled, or is negative."""
    assert set(journal.begun) == set(journal.told), "a client gave up"
    charges = books.sql("""
        SELECT p.debit, p.key, coalesce(s.kind, 'pending') FROM transfer p
        LEFT JOIN transfer s ON s.ref = p.ref AND s.step = 2 WHERE p.kind = 'pending'""")
    ends = Counter((account, key, kind) for account, key, kind in charges if kind != "expired")
    wanted = Counter((*name, "posted" if status == 201 else "voided") for name, (status, _) in journal.told.items())
    lost, doubled = wanted - ends, ends - wanted
    decided = dict(books.sql("SELECT id, status FROM topup"))
    lost += Counter(name for name, (ref, status, _) in journal.top_ups.items() if decided.get(ref) != status)
    balances = dict(journal.accounts)
    for (account, _, kind), times in wanted.items():
        balances[account] -= times * journal.begun[account, _] * (kind == "posted")
    for (account, _), (_, status, credits_) in journal.top_ups.items():
        balances[account] += credits_ * (status == "approved")
    there = dict(books.sql("SELECT id, posted FROM account WHERE house = 0"))
    negative = [name for name, posted in there.items() if posted < 0]
    assert not lost, f"lost: {lost.most_common(5)}"
    assert not doubled, f"doubled: {doubled.most_common(5)}"
    assert there == balances
    return (
        f"{journal.acknowledged} acknowledged after {journal.repeats} repeated calls: {sum(lost.values())} lost,"
        f" {sum(doubled.values())} doubled, {len(negative)} negative; {books.audit()}"
    )
