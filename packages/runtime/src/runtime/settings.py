"""The settings that all services share, from the environment and live. A service's own classes add their fields."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """Read from the environment, once, under the service's prefix; frozen afterwards."""

    model_config = SettingsConfigDict(frozen=True, use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen on."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port for HTTP."""
    version: str = "v1"
    """The deployment's version, as routing and provenance name it."""
    replica: str = "local"
    """This process's name: the pod's."""
    live: str = ""
    """Folder of the live settings, a file a key; empty: their defaults."""
    drain_seconds: float = Field(default=0.0, ge=0, le=60)
    """How long a stopping process serves on, no longer ready, while its endpoint is taken away."""
    faults: bool = False
    """Whether PUT /faults may make this replica sick (workshops and tests)."""


class GrpcServerSettings(ServerSettings):
    """Of a service that speaks gRPC as well."""

    grpc_port: int = Field(default=9090, ge=0, le=65535)
    """Port for gRPC."""


class LiveSettings(BaseModel):
    """Read from files, in force without a restart (`live`); each value is frozen, a change is a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is logged."""
