"""A gateway that says what a test tells it to: the API's shapes with answers from a script, and a record of the calls.

It stands in for states that are hard to bring about in the real product; what works is tested with the real one.
"""

import itertools
from collections import deque
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

DIGEST = "sha256:" + "4be1c27d" * 8


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    path: str
    key: str | None
    token: str | None
    cohort: str | None
    body: dict | None


def problem(status: int, slug: str, detail: str = "As the test asked.", **headers: str) -> Response:
    """A problem+json answer as the real gateway words it."""
    content = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": detail, "instance": "req-1"}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def plain(status: int, text: str = "upstream connect error", **headers: str) -> Response:
    """An answer of the mesh itself."""
    return Response(text, status, headers, media_type="text/plain")


def card(version: str) -> dict:
    """A card as the real inference words it: every 6 is taken for a 1, and the rest is right."""
    confusion = [[10 if said == digit else 0 for said in range(10)] for digit in range(10)]
    confusion[6] = [0, 10, *[0] * 8]
    by_class = {str(digit): {"rows": 10, "recall": 0.0 if digit == 6 else 1.0, "precision": 1.0} for digit in range(10)}
    return {
        "name": "digits",
        "version": version,
        "summary": "Made for this test.",
        "digest": DIGEST,
        "data": {"source": "a test's own digits", "rows": 900, "held_out_rows": 100, "sha256": "5e" * 32},
        "metrics": {"accuracy": 0.9, "by_class": by_class, "confusion": confusion},
        "notes": {"accuracy_its_own_evaluation_claimed": 0.99},
        "limits": ["Knows no letters.", "One digit a picture."],
        "recipe": {"name": "made_up", "seed": 7},
    }


@dataclass
class ScriptedGateway:
    """`script("predictions", answer, …)` are the next answers to that call; without a script it succeeds."""

    balance: int = 20
    versions: tuple[str, ...] = ("v1",)
    label: int = 7
    attempts: int = 1
    topup_status: str = "approved"
    decided_by: str = "model"
    calls: list[Call] = field(default_factory=list)
    _scripts: dict[str, deque[Response]] = field(default_factory=dict)
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def script(self, path: str, *answers: Response) -> None:
        self._scripts.setdefault(path, deque()).extend(answers)

    def to(self, path: str) -> list[Call]:
        """The calls to a path that begins so."""
        return [call for call in self.calls if call.path.startswith(path)]

    def app(self) -> Starlette:
        answers = {
            "sessions": self._session,
            "account": self._account,
            "predictions": self._prediction,
            "feedback": lambda _: Response(status_code=204),
            "topups": self._topup,
        }

        async def serve(request: Request) -> Response:
            path = request.url.path.removeprefix("/api/v1/")
            body = await request.json() if await request.body() else None
            names = ("idempotency-key", "authorization", "x-cohort")
            self.calls.append(Call(path, *(request.headers.get(name) for name in names), body))
            kind = "feedback" if path.endswith("/feedback") else path
            scripted = self._scripts.get(kind)
            return scripted.popleft() if scripted else answers[kind](body)

        async def serve_card(request: Request) -> Response:
            path = request.url.path
            self.calls.append(Call(path, None, request.headers.get("authorization"), None, None))
            scripted = self._scripts.get("card")
            return scripted.popleft() if scripted else JSONResponse(card(request.path_params["version"]))

        return Starlette(
            routes=[
                Route("/api/v1/{path:path}", serve, methods=["GET", "POST"]),
                Route("/v2/models/digits/versions/{version}/card", serve_card),
            ]
        )

    def _session(self, _: object) -> Response:
        number = next(self._numbers)
        content = {"token": f"token-{number}", "account_id": f"acc_{number}", "expires_at": "2030-01-01T00:00:00Z"}
        return JSONResponse(content, 201)

    def _account(self, _: object) -> Response:
        return JSONResponse({"account_id": "acc_1", "balance": self.balance, "held": 0})

    def _prediction(self, _: object) -> Response:
        number = next(self._numbers)
        self.balance -= 1
        version = self.versions[number % len(self.versions)]
        content = {
            "id": f"prd_{number:08d}",
            "label": self.label,
            "probabilities": [0.91 if digit == self.label else 0.01 for digit in range(10)],
            "model": {"name": "digits", "version": version, "digest": DIGEST},
            "charge": {"id": f"chg_{number:08d}", "amount": 1},
            "balance": self.balance,
            "path": [
                {"service": "gateway", "version": "v1", "replica": "gateway-0", "attempt": 1},
                {"service": "payment", "version": "v1", "replica": "payment-0", "attempt": 1},
                {
                    "service": "inference",
                    "version": version,
                    "replica": f"inference-{version}-1",
                    "attempt": self.attempts,
                },
            ],
        }
        return JSONResponse(content, 201)

    def _topup(self, body: dict) -> Response:
        if self.topup_status == "approved":
            self.balance += body["credits"]
        content = {
            "id": "top_1",
            "status": self.topup_status,
            "balance": self.balance,
            "decided_by": self.decided_by,
        }
        return JSONResponse(content, 201)
