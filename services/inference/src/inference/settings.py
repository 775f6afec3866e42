"""Everything that can be set, from the environment under INFERENCE_; the README's table is compared with it."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from runtime.settings import ServerSettings

_SERVED = re.compile(r"([a-z][a-z0-9-]{0,31})=(v[0-9]{1,6})")


class Settings(ServerSettings):
    """Read once, by `__main__`."""

    model_config = SettingsConfigDict(env_prefix="INFERENCE_")

    models: Path = Path(".inkmesh/models")
    """Folder of the models, `NAME/VERSION/{model.onnx,manifest.json}`."""
    serve: str = "digits=v1,fraud=v1"
    """What this process serves: `NAME=VERSION`, with commas between; a name's first version is its default."""
    look_again_seconds: float = Field(default=0.5, ge=0.05, le=60)
    """How often a model that is missing or refused is looked for again."""

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
