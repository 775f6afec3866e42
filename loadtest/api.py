"""The product's API as a visitor calls it: each request named by its route, its books kept, nothing decided."""

from __future__ import annotations

import json
import uuid
from typing import Any

import gevent
from books import Books, Verdict
from http_client import Http

CARD = "4242424242424242"
SETTLING = {"settling": True}
"""Marks requests that only close the books: they are no load."""
SETTLING_ROUNDS, SETTLING_SECONDS = 5, 0.4
"""How often a request without a definite answer is repeated when a visitor leaves, and the pause before."""


class Api:
    """One visitor's session. Each call gives the answer's body, None when it failed."""

    def __init__(self, http: Http) -> None:
        self._http = http
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
        self._send("POST", path, json.dumps({"label": label}).encode(), name="/api/v1/predictions/{id}/feedback")

    def account(self, due: float | None = None) -> dict[str, Any] | None:
        """The account as it stands."""
        return self._send("GET", "/api/v1/account", due=due)

    def page(self, due: float | None = None) -> None:
        """The page itself."""
        self._send("GET", "/", due=due)

    def close_books(self) -> Verdict:
        """Repeat what has no definite answer, with its key, and compare with the account.

        Refusals are taken at their word, for there may be thousands, unless the account does not agree.
        """
        self._settle()
        balance, held = self._settled_account()
        if self.books.refused_keys and (held or self.books.verdict(balance) is Verdict.WRONG):
            self.books.doubt_refusals()
            self._settle()
            balance, _ = self._settled_account()
        return self.books.verdict(balance)

    def _settle(self) -> None:
        for _ in range(SETTLING_ROUNDS):
            if not self.books.open_keys:
                return
            gevent.sleep(SETTLING_SECONDS)
            for key, (path, body) in list(self.books.open_keys.items()):
                self._send("POST", path, body, key=key, settling=True)

    def _settled_account(self) -> tuple[int | None, int]:
        found = self._send("GET", "/api/v1/account", settling=True) or {}
        return found.get("balance"), found.get("held", 0)

    def _paid(self, path: str, body: dict[str, Any], due: float | None) -> dict[str, Any] | None:
        key, sent = str(uuid.uuid4()), json.dumps(body).encode()
        self.books.asked(key, path, sent)
        return self._send("POST", path, sent, key=key, due=due)

    def _send(
        self, method: str, path: str, body: bytes = b"", *,
        name: str = "", key: str = "", due: float | None = None, settling: bool = False,
    ) -> dict[str, Any] | None:  # fmt: skip
        headers = self._headers | ({"content-type": "application/json"} if body else {})
        if key:
            headers["idempotency-key"] = key
        books = self.books  # this session's: another may have begun before the answer comes
        name = name or path
        answer = self._http.send(
            method, path, f"settling: {name}" if settling else name, headers, body, due,
            welcome=402,  # told that there are no credits left: the right answer
            context=SETTLING if settling else None,
        )  # fmt: skip
        status = answer.status_code
        found = _json(answer.body) if status in (200, 201) and path.startswith("/api/") else None
        if key:
            replayed = "idempotent-replayed" in answer.headers
            # A repeat that is refused says nothing of the request before it, which had no answer.
            _book(books, key, status, found or {}, replayed=replayed, refused=answer.refused and not settling)
        if books is self.books:
            self.balance = 0 if status == 402 else (found or {}).get("balance", self.balance)
        return found


def _book(books: Books, key: str, status: int, found: dict[str, Any], *, replayed: bool, refused: bool) -> None:
    if "charge" in found:
        books.answered(key, status, charge=found["charge"]["id"], replayed=replayed)
        return
    _, body = books.open_keys.get(key, ("", b"{}"))
    bought = json.loads(body).get("credits", 0) if found.get("status") == "approved" else 0
    books.answered(key, status, bought=bought, replayed=replayed, refused=refused)


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
