"""The settings that all services share. A service's own class adds its fields and its prefix."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """Read from the environment, once, under the service's prefix; frozen afterwards."""

    model_config = SettingsConfigDict(frozen=True, use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen on."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port for HTTP."""
    grpc_port: int = Field(default=9090, ge=0, le=65535)
    """Port for gRPC, where the service speaks it."""
    version: str = "v1"
    """The deployment's version, as routing and provenance name it."""
    replica: str = "local"
    """This process's name: the pod's."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is logged."""
    drain_seconds: float = Field(default=0.0, ge=0, le=60)
    """How long a stopping process serves on, no longer ready, while its endpoint is taken away."""
    faults: bool = False
    """Whether PUT /faults may make this replica sick (workshops and tests)."""
