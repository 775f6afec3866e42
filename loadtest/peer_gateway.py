"""What most people would write: a gateway in FastAPI and httpx that makes the same three calls. The bench's other side.

Addresses come from PEER_PAYMENT and PEER_INFERENCE (base URLs), read when the application is made.
"""

import base64
import json
import os
import uuid

import httpx
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, Field


class Drawing(BaseModel):
    """8 × 8 pixels, 0 to 16."""

    pixels: list[float] = Field(min_length=64, max_length=64)


def create_app() -> FastAPI:
    """`uvicorn --factory peer_gateway:create_app`."""
    app = FastAPI()
    client = httpx.AsyncClient(timeout=5, limits=httpx.Limits(max_connections=100))
    payment, inference = os.environ["PEER_PAYMENT"], os.environ["PEER_INFERENCE"]

    @app.post("/api/v1/predictions", status_code=201)
    async def predict(drawing: Drawing, x_account: str = Header(), idempotency_key: str = Header()) -> dict:
        account = f"{payment}/v1/accounts/{x_account}"
        attempt = uuid.uuid4().hex
        held = await client.post(
            f"{account}/holds", json={"amount": 1, "attempt": attempt}, headers={"idempotency-key": idempotency_key}
        )
        if held.is_error:
            raise HTTPException(held.status_code, held.text)
        charge = held.json()["charge"]
        tensor = {"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": drawing.pixels}
        inferred = await client.post(f"{inference}/v2/models/digits/infer", json={"inputs": [tensor]})
        outputs = {one["name"]: one["data"] for one in inferred.raise_for_status().json()["outputs"]}
        answer = {"label": outputs["label"][0], "probabilities": outputs["probabilities"], "charge": charge}
        stored = base64.b64encode(json.dumps(answer).encode()).decode()
        captured = await client.post(
            f"{account}/charges/{charge['charge_id']}/capture",
            json={"attempt": attempt, "answer": {"status": 201, "body": stored}},
        )
        captured.raise_for_status()
        return answer

    return app
