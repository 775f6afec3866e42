"""What the translation reads: the registry of services and replicas, and the Istio documents in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]
"""One parsed Kubernetes or Istio document."""


@dataclass(frozen=True)
class Address:
    """An IP address and a port, both numbers on the wire."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service. `protocol` comes from appProtocol, or the name's first part: http, grpc, http2 or tcp."""

    name: str
    number: int
    target: str
    protocol: str


@dataclass(frozen=True)
class Service:
    """A Kubernetes Service: the name callers use, and the labels its endpoints carry."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]

    @property
    def host(self) -> str:
        """Its fully qualified name, as Istio keys it."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"


@dataclass(frozen=True)
class Workload:
    """One Deployment as a caller: what sourceLabels see."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    service_account: str = "default"


@dataclass(frozen=True)
class Endpoint:
    """One replica that can be called. `ports` maps a container port's name to where it listens."""

    replica: str
    workload: str
    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, Address]
    ready: bool


@dataclass(frozen=True)
class Mesh:
    """Everything `translate` needs; equal inputs give equal outputs."""

    services: tuple[Service, ...]
    workloads: tuple[Workload, ...]
    endpoints: tuple[Endpoint, ...]
    documents: tuple[Document, ...]
    """Gateway, VirtualService, DestinationRule … in the order of the rendered overlay."""
    outbound: Mapping[tuple[str, str, int], Address] = field(default_factory=dict)
    """(workload name, service host, service port) → where Envoy listens for that caller."""
    gateway_labels: Mapping[str, str] = field(default_factory=lambda: {"istio": "ingressgateway"})
    """What a Gateway's selector is matched with."""
    gateway_ports: Mapping[int, Address] = field(default_factory=dict)
    """Gateway server port → where Envoy listens for it; a port without an entry has no listener."""
    gateway_namespace: str = "istio-system"
    """Where the edge runs on a cluster: it decides which exportTo and DestinationRules hold for it."""
    access_log: str = ""
    """The file Envoy writes its access log to, a JSON object a line; empty for none."""
