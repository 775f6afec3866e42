"""Everything that can be set, from the environment under PAYMENT_; the README's table is compared with it."""

from __future__ import annotations

import os
from typing import Self

from pydantic import AnyHttpUrl, Field, TypeAdapter, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

import runtime.settings
from payment.ledger.stores import is_address
from payment.records import Terms
from payment.topups import Thresholds
from runtime.settings import GrpcServerSettings


class Settings(GrpcServerSettings):
    """Read once, by `__main__`."""

    model_config = SettingsConfigDict(env_prefix="PAYMENT_", hide_input_in_errors=True)  # an address has passwords

    database: str = Field(default=".inkmesh/payment.sqlite3", min_length=1)
    """Where the ledger is: an SQLite file (made when it is not there), or PostgreSQL's address, `postgresql://…`."""
    database_password_file: str = ""
    """A file with PostgreSQL's password; it is read again for each new connection."""
    inference_url: str = "http://inference:8080"
    """Where the fraud model is asked."""
    fraud_model: str = Field(default="fraud", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """The fraud model's name."""
    fraud_seconds: float = Field(default=1.0, gt=0, le=10)
    """How long the fraud model may take in all; then rules decide."""
    lease_seconds: float = Field(default=15.0, ge=0.1, le=600)
    """How long an attempt has a key in flight to itself; then another attempt may take over."""
    hold_seconds: float = Field(default=60.0, ge=0.1, le=3600)
    """How long a charge may be held; then it expires and its credits are available again."""
    key_hours: float = Field(default=24.0, ge=24, le=8760)
    """How long a finished key and its answer are kept, at least."""
    sweep_seconds: float = Field(default=1.0, ge=0.05, le=60)
    """How often overdue charges are expired and old keys forgotten."""
    audit_seconds: float = Field(default=300.0, ge=0.05, le=86400)
    """How often the books are proved while payment serves; a ledger whose audit takes long is audited less often."""

    @field_validator("database", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("database")
    @classmethod
    def _is_one_of_the_two(cls, value: str) -> str:
        if "://" in value and not is_address(value):
            raise ValueError("a path, or an address that begins with postgresql://")
        return value

    @field_validator("inference_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        TypeAdapter(AnyHttpUrl).validate_python(value)
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lease_seconds > self.hold_seconds:
            raise ValueError("lease_seconds must not be above hold_seconds")
        if self.fraud_seconds > self.lease_seconds:
            raise ValueError("fraud_seconds must not be above lease_seconds")
        return self

    @property
    def terms(self) -> Terms:
        """The ledger's times, in milliseconds."""
        return Terms(int(self.lease_seconds * 1000), int(self.hold_seconds * 1000), int(self.key_hours * 3_600_000))


class LiveSettings(runtime.settings.LiveSettings):
    """In force without a restart."""

    fraud_decline: float = Field(default=0.9, ge=0, le=1)
    """Probability of fraud from which on a top-up is declined."""
    fraud_review: float = Field(default=0.5, ge=0, le=1)
    """Probability of fraud from which on a top-up goes to review."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fraud_review > self.fraud_decline:
            raise ValueError("fraud_review must not be above fraud_decline")
        return self

    @property
    def thresholds(self) -> Thresholds:
        """What a probability of fraud leads to."""
        return Thresholds(self.fraud_decline, self.fraud_review)
