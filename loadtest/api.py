"""The product's API as a visitor calls it: each request named by its route, its books kept, nothing decided."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import gevent
from books import Books, Verdict
from locust.contrib.fasthttp import FastHttpSession

CARD = "4242424242424242"
SETTLING = {"settling": True}
"""Marks requests that only close the books: they are no load."""
SETTLING_ROUNDS, SETTLING_SECONDS = 5, 0.4
"""How often a request without a definite answer is repeated when a visitor leaves, and the pause before."""


class Api:
    """One visitor's session. Each call gives the answer's body, None when it failed."""

    def __init__(self, client: FastHttpSession) -> None:
        self._client = client
        self._headers: dict[str, str] = {}
        self.balance = 0
        self.books = Books()

    @property
    def in_session(self) -> bool:
        return bool(self._headers)

    def open_session(self, due: float | None = None) -> bool:
        """Begin as a new guest."""
        found = self._send("POST", "/api/v1/sessions", due=due)
        if found is None:
            return False
        self._headers = {"authorization": f"Bearer {found['token']}"}
        self.books = Books()
        self.balance = self.books.granted
        return True

    def leave(self) -> None:
        """Forget the session: the next one is a new guest."""
        self._headers = {}

    def read(self, pixels: list[int], due: float | None = None) -> dict[str, Any] | None:
        """A paid reading."""
        return self._paid("/api/v1/predictions", {"pixels": pixels}, due)

    def top_up(self, credits_: int, due: float | None = None) -> bool:
        """Buy credits; whether they are there."""
        found = self._paid("/api/v1/topups", {"credits": credits_, "card": CARD}, due)
        return found is not None and found["status"] == "approved"

    def judge(self, prediction: str, label: int) -> None:
        """Say what a reading really was."""
        path = f"/api/v1/predictions/{prediction}/feedback"
        self._send("POST", path, {"label": label}, name="/api/v1/predictions/{id}/feedback")

    def account(self, due: float | None = None) -> dict[str, Any] | None:
        """The account as it stands."""
        return self._send("GET", "/api/v1/account", due=due)

    def page(self, due: float | None = None) -> None:
        """The page itself."""
        self._send("GET", "/", due=due)

    def close_books(self) -> Verdict:
        """Repeat what has no definite answer, with its key; then compare with the account."""
        for _ in range(SETTLING_ROUNDS):
            if not self.books.open_keys:
                break
            gevent.sleep(SETTLING_SECONDS)
            for key, (path, body) in list(self.books.open_keys.items()):
                self._paid(path, json.loads(body), None, key=key, settling=True)
        found = self._send("GET", "/api/v1/account", name="/api/v1/account", settling=True)
        return self.books.verdict(found["balance"] if found else None)

    def _paid(
        self, path: str, body: dict[str, Any], due: float | None, *, key: str = "", settling: bool = False
    ) -> dict[str, Any] | None:
        key = key or str(uuid.uuid4())
        self.books.asked(key, path, json.dumps(body).encode())
        return self._send("POST", path, body, key=key, due=due, settling=settling)

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *,
        name: str = "", key: str = "", due: float | None = None, settling: bool = False,
    ) -> dict[str, Any] | None:  # fmt: skip
        headers = self._headers | ({"idempotency-key": key} if key else {})
        books = self.books  # this session's: another may have begun before the answer comes
        with self._client.request(
            method, path, name=f"settling: {name or path}" if settling else name or path, headers=headers,
            json=body, catch_response=True, context=SETTLING if settling else {},
        ) as response:  # fmt: skip
            if due is not None:
                response.request_meta["response_time"] = (time.perf_counter() - due) * 1000
            status = response.status_code or 0
            found = _json(response.text) if status in (200, 201) and path.startswith("/api/") else None
            if key:
                _book(books, key, status, found or {}, replayed="idempotent-replayed" in (response.headers or {}))
            if status == 402:
                response.success()  # told that there are no credits left: the right answer
            if books is self.books:
                self.balance = 0 if status == 402 else (found or {}).get("balance", self.balance)
            return found


def _book(books: Books, key: str, status: int, found: dict[str, Any], *, replayed: bool) -> None:
    if "charge" in found:
        books.answered(key, status, charge=found["charge"]["id"], replayed=replayed)
        return
    _, body = books.open_keys.get(key, ("", b"{}"))
    bought = json.loads(body).get("credits", 0) if found.get("status") == "approved" else 0
    books.answered(key, status, bought=bought, replayed=replayed)


def _json(text: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
