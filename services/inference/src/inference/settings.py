"""Everything that can be set, from the environment under INFERENCE_; the README's table is compared with it."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import GrpcServerSettings

_SERVED = re.compile(r"([a-z][a-z0-9-]{0,31})=(v[0-9]{1,6})")


class Settings(GrpcServerSettings):
    """Read once, by `__main__`."""

    model_config = SettingsConfigDict(env_prefix="INFERENCE_")

    models: Path = Path(".inkmesh/models")
    """Folder of the models, `NAME/VERSION/{model.onnx,manifest.json}`."""
    serve: str = "digits=v1,fraud=v1"
    """What this process serves: `NAME=VERSION`, with commas between; a name's first version is its default."""
    look_again_seconds: float = Field(default=0.5, ge=0.05, le=60)
    """How often models are looked at: missing ones for their files, served ones for changes."""
    trusted_keys: str = ""
    """Folder of public keys (Ed25519, `*.pem`), one of which must have signed a model; empty: it need not be signed."""
    admin_token_file: str = ""
    """File with the token that may load and unload models; empty: nobody may."""
    model_seconds: float = Field(default=2.0, gt=0, le=60)
    """How long a model may take for one call before it is stopped."""
    model_queue: int = Field(default=64, ge=1, le=10_000)
    """How many calls may wait for a slow model's thread."""
    wait_seconds: float = Field(default=1.0, gt=0, le=60)
    """How long a call may have waited behind others before it is turned away."""
    drift_window_seconds: float = Field(default=60.0, gt=0, le=86_400)
    """The window of the drift gauges; Prometheus can make others of the counters."""

    @field_validator("serve")
    @classmethod
    def _is_list(cls, value: str) -> str:
        parts = [part.strip() for part in value.split(",")]
        if not all(_SERVED.fullmatch(part) for part in parts):
            raise ValueError("must be NAME=VERSION with commas between, as in digits=v1,fraud=v1")
        if len(set(parts)) != len(parts):
            raise ValueError("names one version twice")
        return value

    @property
    def served(self) -> tuple[tuple[str, str], ...]:
        """(name, version) of each model that this process serves."""
        return tuple(found.groups() for found in _SERVED.finditer(self.serve))  # type: ignore[misc]
