"""What the gateway reads from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.settings import ServerSettings


class Settings(ServerSettings):
    """GATEWAY_* variables."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    payment_target: str = "payment:9090"
    """Where payment's gRPC is."""
    inference_target: str = "inference:9090"
    """Where inference's gRPC is."""
    token_keys: Path = Path(".inkmesh/secrets/token-signing")
    """Folder of ES256 private keys (*.pem): all verify, the last by name signs."""
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
