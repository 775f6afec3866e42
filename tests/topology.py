"""The product as data: services and who calls whom. Policies, the README's diagram and the trace tests come from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    name: str
    versions: tuple[str, ...]
    ports: tuple[str, ...]
    keeps: str


@dataclass(frozen=True)
class Edge:
    """One caller's way to one upstream port. `why` is the label in the diagram."""

    caller: str
    upstream: str
    port: str
    why: str


INGRESS = "ingress"

SERVICES = (
    Service("frontend", ("v1",), ("http",), "nothing"),
    Service("gateway", ("v1",), ("http",), "nothing"),
    Service("payment", ("v1",), ("http", "grpc"), "the ledger"),
    Service("inference", ("v1", "v2", "v3"), ("http", "grpc"), "model files"),
)

READING = Edge("gateway", "inference", "grpc", "digits")
FRAUD = Edge(INGRESS, "inference", "http", "/predict, model cards")
EDGES = (
    Edge(INGRESS, "frontend", "http", "/"),
    Edge(INGRESS, "gateway", "http", "/api/"),
    FRAUD,
    Edge("gateway", "payment", "grpc", "hold, capture, void"),
    READING,
    Edge("payment", "inference", "http", "fraud"),
)

PORTS = {"http": 8080, "grpc": 9090}
