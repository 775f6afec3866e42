"""The API's shapes for OpenAPI. requests.py is what checks them: it costs a tenth on the way of every reading."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field


class Session(BaseModel):
    token: str = Field(description="A JWT, for Authorization: Bearer")
    account_id: str
    expires_at: int = Field(description="Unix seconds")


class Account(BaseModel):
    account_id: str
    balance: int = Field(description="Posted credits")
    held: int = Field(description="The part of them that is reserved by readings in flight")


class Drawing(BaseModel):
    pixels: list[Annotated[float, Field(ge=0, le=16)]] = Field(
        min_length=64, max_length=64, description="8 × 8, row by row, 0 (paper) to 16 (ink)"
    )


class Model(BaseModel):
    name: str
    version: str
    digest: str = Field(description="sha256:… of the model file that answered")


class Charge(BaseModel):
    id: str
    amount: int


class Hop(BaseModel):
    service: str
    version: str
    replica: str
    attempt: int


class Prediction(BaseModel):
    id: str
    label: int = Field(ge=0, le=9)
    probabilities: list[float] = Field(min_length=10, max_length=10)
    model: Model
    charge: Charge
    balance: int = Field(description="Credits left when this charge counts as spent")
    path: list[Hop] = Field(description="Who served it, in the order of the calls")


class Correction(BaseModel):
    label: int = Field(ge=0, le=9, description="What it really was")


class Purchase(BaseModel):
    credits: int = Field(ge=1, le=10_000)
    card: str = Field(description="A test card's number", pattern="^[0-9 ]{12,23}$")


class TopUp(BaseModel):
    id: str
    status: Literal["approved", "review", "declined"]
    balance: int
    decided_by: Literal["model", "rules"]


class PublicKey(BaseModel):
    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str = Field(description="As in the header of the tokens that it signs")
    alg: Literal["ES256"]
    use: Literal["sig"]


class KeySet(BaseModel):
    keys: list[PublicKey] = Field(description="A JSON Web Key Set (RFC 7517)")


class Problem(BaseModel):
    type: str = Field(description="/problems/SLUG, stable")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The request's id")


MEANINGS = {
    400: "Not JSON, or no Idempotency-Key",
    401: "No session, or one that has expired",
    402: "Not enough credits",
    404: "Nothing of that name that is yours",
    409: "The key is in flight, or other feedback was given before",
    413: "The body is too large",
    422: "Out of bounds, or the key was used with another payload",
    429: "Too many requests",
    503: "A service behind this one cannot answer",
    504: "A service behind this one did not answer in time",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for these errors."""
    media = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"description": MEANINGS[status], "content": media} for status in statuses}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI's `requestBody` for a call that reads its body itself."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Kept for 24 hours: the same key gives the same answer, and one charge",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

PREDICTION_ID = {
    "name": "prediction_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^prd_[0-9A-Za-z_-]{1,60}$"},
}
