"""Visitors of the whole product who never give up: what `clients` are to payment alone, through the ingress."""

from __future__ import annotations

import asyncio
import itertools
import json
import random

from clients import CARD, Journal
from mesh import Mesh

from arrivals import Answer, Client, Request

CREDITS, TIMES = 1000, 5
"""Top-ups that are approved by whoever decides: the model, or the rules while it is away."""
SESSION_CREDITS = 20
UNDECIDED = {0, 409, 429, 502, 503, 504}
"""Answers that leave open whether credits moved, unless they are a replay."""


class Visitors:
    """All visitors of a product. Each repeats a request, with its key, until it is answered for good."""

    def __init__(self, mesh: Mesh, journal: Journal) -> None:
        self.journal = journal
        self._client = Client("127.0.0.1", mesh.port)

    async def close(self) -> None:
        await self._client.__aexit__()

    async def work(self, _: str, stop: asyncio.Event) -> None:
        """One visitor's life: a session, credits, readings, and now and then one that is asked for again."""
        account, token = await self._arrive()
        for number in range(TIMES):
            await self._top_up(account, token, f"t{number}")
        for number in itertools.count():
            if stop.is_set():
                return
            await self._read(account, token, f"k{number}")
            if number % 7 == 0:
                await self._read(account, token, f"k{number}")

    async def _arrive(self) -> tuple[str, str]:
        answer = await self._client.send(Request("POST", "/api/v1/sessions"))
        assert answer.status == 201, answer
        session = json.loads(answer.body)
        self.journal.accounts[session["account_id"]] = SESSION_CREDITS
        return session["account_id"], session["token"]

    async def _top_up(self, account: str, token: str, key: str) -> None:
        answer = await self._decided("/api/v1/topups", token, key, {"credits": CREDITS, "card": CARD})
        assert answer.status == 201, answer
        told = json.loads(answer.body)
        self.journal.tell_top_up((account, key), told["id"], told["status"], CREDITS)

    async def _read(self, account: str, token: str, key: str) -> None:
        name = (account, key)
        self.journal.begun[name] = 1
        pixels = [(int(key[1:]) * place) % 17 for place in range(64)]
        answer = await self._decided("/api/v1/predictions", token, key, {"pixels": pixels})
        self.journal.tell(name, (answer.status, answer.body))

    async def _decided(self, path: str, token: str, key: str, body: dict) -> Answer:
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key, "content-type": "application/json"}
        request = Request("POST", path, headers, json.dumps(body).encode())
        while True:
            answer = await self._client.send(request)
            if answer.status not in UNDECIDED or "idempotent-replayed" in answer.headers:
                assert answer.status == 201 or "idempotent-replayed" in answer.headers, answer
                return answer
            self.journal.repeats += 1
            await asyncio.sleep(random.uniform(0.05, 0.3))  # a visitor's pause before it asks again
