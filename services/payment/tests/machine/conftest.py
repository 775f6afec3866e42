"""The model: what the ledger should say, in plain Python, too simple to be wrong."""

from dataclasses import dataclass, field

import pytest

from payment.errors import InFlight, KeyReused, NotFound
from payment.records import Answer, TopUp

LEASE, HOLD, KEPT = 15, 60, 24 * 3600


@dataclass
class Matter:
    """A charge or a top-up as the model sees it."""

    ref: str
    account: str
    amount: int
    owner: str
    meaning: str
    lease: float
    until: float
    state: str = "held"
    answer: Answer | TopUp | None = None
    label: int | None = None


@dataclass
class Books:
    """The model."""

    balance: dict[str, int] = field(default_factory=dict)
    charges: dict[str, Matter] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], Matter] = field(default_factory=dict)
    now: float = 0

    def held(self, account):
        return sum(m.amount for m in self.charges.values() if m.account == account and m.state == "held")

    def available(self, account):
        return self.balance[account] - self.held(account)

    def sweep(self):
        for name, matter in list(self.keys.items()):
            if matter.until <= self.now:
                self.lapse(name)

    def lapse(self, name):
        matter = self.keys.pop(name)
        if matter.state == "held":
            matter.state = "expired"

    def find(self, operation, account, text, attempt, meaning):
        """The matter that a key stands for, after leases and refusals; None when the key is free."""
        if account not in self.balance:
            raise NotFound("account")
        name = (operation, account, text)
        matter = self.keys.get(name)
        if matter is not None and operation == "hold" and matter.state == "held" and matter.until <= self.now:
            self.lapse(name)
            matter = None
        if matter is None or matter.answer is not None:
            if matter is not None and matter.meaning != meaning:
                raise KeyReused
            return matter
        if matter.meaning != meaning:
            raise KeyReused
        if matter.owner != attempt:
            if matter.lease > self.now:
                raise InFlight
            matter.owner, matter.lease = attempt, self.now + LEASE
            matter.until = self.now + (HOLD if operation == "hold" else KEPT)
        return matter

    def charge(self, ref, account, text, amount, attempt, meaning):
        """A new charge, held."""
        assert ref not in self.charges
        matter = Matter(ref, account, amount, attempt, meaning, self.now + LEASE, self.now + HOLD)
        self.charges[ref] = self.keys["hold", account, text] = matter

    def top_up(self, ref, account, text, amount, attempt, meaning):
        """A new top-up, begun."""
        matter = Matter(ref, account, amount, attempt, meaning, self.now + LEASE, self.now + KEPT, "begun")
        self.keys["topup", account, text] = matter
        return matter

    def answer(self, matter, answer):
        """Finish a matter: its answer is kept from now on."""
        matter.answer, matter.until = answer, self.now + KEPT


@pytest.fixture
def books():
    return Books
