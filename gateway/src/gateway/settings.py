"""What the gateway reads from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

import runtime.settings
from runtime.settings import ServerSettings


class Settings(ServerSettings):
    """GATEWAY_* variables."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    payment_target: str = "payment:9090"
    """Where payment's gRPC is."""
    inference_target: str = "inference:9090"
    """Where inference's gRPC is."""
    token_keys: Path = Path(".inkmesh/secrets/token-signing")
    """Folder of ES256 private keys (*.pem), followed: all verify; the file `signing` names the one that signs."""
    token_seconds: int = Field(default=12 * 3600, ge=1, le=7 * 24 * 3600)
    """How long a session's token is good for."""
    session_credits: int = Field(default=20, ge=0, le=10_000)
    """Credits of a new guest."""
    reading_price: int = Field(default=1, ge=1, le=1000)
    """Credits that one reading costs."""
    payment_seconds: float = Field(default=4.0, gt=0, le=60)
    """Deadline of a call to payment."""
    inference_seconds: float = Field(default=2.0, gt=0, le=60)
    """Deadline of a call to inference."""


class LiveSettings(runtime.settings.LiveSettings):
    """In force without a restart."""

    readings_per_second: int = Field(default=200, ge=1, le=100_000)
    """Readings of one account at one replica that it can keep up."""
    readings_burst: int = Field(default=400, ge=1, le=100_000)
    """The most of them at once, after a pause."""
    readings_at_once: int = Field(default=256, ge=1, le=100_000)
    """Readings under way at one replica, of all accounts; what comes on top is answered 503."""
    reading_seconds: float = Field(default=2.0, gt=0, le=60)
    """How long readings may take, on average, before fewer are let in at once."""
    sessions_per_second: int = Field(default=100, ge=1, le=100_000)
    """New sessions at one replica that it can keep up."""
    sessions_burst: int = Field(default=200, ge=1, le=100_000)
    """The most of them at once, after a pause."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for what in ("readings", "sessions"):
            if getattr(self, f"{what}_burst") < getattr(self, f"{what}_per_second"):
                raise ValueError(f"{what}_burst must not be below {what}_per_second")
        return self
