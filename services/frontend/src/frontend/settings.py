"""What the frontend reads from the environment."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from runtime.settings import ServerSettings


class Settings(ServerSettings):
    """FRONTEND_* variables."""

    model_config = SettingsConfigDict(env_prefix="FRONTEND_")
