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
    full_name: str = ""
    """Where it is not made of the name and the namespace."""

    @property
    def host(self) -> str:
        """Its fully qualified name, as Istio keys it."""
        return self.full_name or f"{self.name}.{self.namespace}.svc.cluster.local"


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
    inbound: Mapping[str, Address] = field(default_factory=dict)
    """A container port's name → where Envoy listens before the replica; empty when it is called directly."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """A container port's name → its number in the manifest, where the process listens at another one."""

    def number(self, port: str) -> int:
        """The container port's number, which policies mean by a port."""
        return self.numbers.get(port) or self.ports[port].port


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
    """The file Envoy writes its access log to, a JSON object a line; empty for none but where Telemetry asks."""
    log_file: str = ""
    """That file where only Telemetry asks for it."""
    mtls: bool = False
    """Whether workloads have certificates: calls of replicas that Envoy stands before are mTLS then."""
    jwks: Mapping[str, str] = field(default_factory=dict)
    """A RequestAuthentication's jwksUri → the key set found there, as JSON; none while it was not to be had."""
    led_to: frozenset[str] = frozenset()
    """Services that only routes lead to: a caller's Sidecar lets it not call them by their own names."""
