"""What the translation gives: Envoy's resources as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]
"""One Envoy resource in proto3 JSON with the proto's own field names; durations are strings as `10s`."""


@dataclass(frozen=True)
class Resources:
    """All resources of one Envoy, each kind sorted by name."""

    clusters: tuple[Resource, ...] = ()
    endpoints: tuple[Resource, ...] = ()
    """ClusterLoadAssignments, one a cluster."""
    listeners: tuple[Resource, ...] = ()
    routes: tuple[Resource, ...] = ()
    """RouteConfigurations."""
    filters: tuple[Resource, ...] = ()
    """TypedExtensionConfigs: filters that listeners refer to."""
