"""payment as it is, with what a fault needs from inside: points at which it kills itself, and a clock that jumps.

argv: nothing, or a point as `commit:before:17`: SIGKILL before the 17th commit. `send` is a gRPC answer's way out,
`ask` the call to the fraud model. `send:lose:17`: every 17th answer is lost, after the commit, and nobody dies.
SIGUSR1 puts the clock an hour forward, SIGUSR2 an hour back.
"""

import asyncio
import itertools
import os
import signal
import sys
import threading

from payment import __main__ as payment
from payment.clients import HttpFraudModel
from payment.clock import SystemClock
from payment.errors import LedgerUnavailable
from payment.grpc import Servicer
from payment.ledger.postgres_session import PostgresSession
from payment.ledger.sqlite import SqliteSession

HOUR = 3_600_000


class Point:
    """Where and when to die."""

    def __init__(self, name):
        self.where, self.side, number = name.split(":")
        self.left, self.lock = int(number), threading.Lock()

    def passes(self, where, side):
        if (where, side) == (self.where, self.side):
            with self.lock:
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)


class Losing(Point):
    """Every so manieth answer is lost on its way out: its caller hears UNAVAILABLE, and the mesh asks again."""

    def __init__(self, name):
        super().__init__(name)
        self.answers = itertools.cycle(range(self.left))

    def passes(self, where, side):
        if (where, side) == ("send", "before") and next(self.answers) == 0:
            raise LedgerUnavailable


def around_commits(session, point):
    commit = session.commit

    def dies(self):
        point.passes("commit", "before")
        commit(self)
        point.passes("commit", "after")

    session.commit = dies


def around_calls(owner, name, where, point):
    call = getattr(owner, name)

    async def dies(self, *args):
        if where == "ask":
            point.passes(where, "before")
            try:
                return await call(self, *args)
            finally:
                point.passes(where, "after")
        done = await call(self, *args)
        point.passes(where, "before")
        asyncio.get_running_loop().call_later(0.001, point.passes, where, "after")
        return done

    setattr(owner, name, dies)


def main():
    offset = 0
    now = SystemClock.now

    def jump(number, _):
        nonlocal offset
        offset += HOUR if number == signal.SIGUSR1 else -HOUR

    SystemClock.now = lambda self: now(self) + offset
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, jump)
    if sys.argv[1:]:
        point = (Losing if ":lose:" in sys.argv[1] else Point)(sys.argv.pop())
        for session in (SqliteSession, PostgresSession):
            around_commits(session, point)
        for name in ("Hold", "Capture", "Void", "TopUp"):
            around_calls(Servicer, name, "send", point)
        around_calls(HttpFraudModel, "probability", "ask", point)
    payment.main()


main()
