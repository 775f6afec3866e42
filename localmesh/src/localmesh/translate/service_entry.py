"""ServiceEntry: services besides Kubernetes' own, with the names or addresses behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from localmesh.mesh import Document, Mesh, Service, ServicePort
from localmesh.translate.callers import identity
from localmesh.translate.documents import Documents, Item, read
from localmesh.translate.errors import Unsupported
from localmesh.translate.resources import Resource

STATIC, ROUND_ROBIN = "STATIC", "DNS_ROUND_ROBIN"
_TYPES = {"DNS": "STRICT_DNS", ROUND_ROBIN: "LOGICAL_DNS"}
# Not too many questions at once for the resolver of a home's router.
_RESOLVER = {
    "name": "envoy.network.dns_resolver.cares",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        "udp_max_queries": 100,
    },
}


@dataclass(frozen=True)
class Entry(Service):
    """A host of a ServiceEntry as a service; it selects no replicas, and has endpoints of its own."""

    item: Item | None = None

    @property
    def spec(self) -> Mapping[str, Any]:
        """What the document says."""
        return self.item.spec if self.item else {}

    @property
    def is_external(self) -> bool:
        """Whether it is outside of the mesh, where nobody speaks mTLS."""
        return self.spec.get("location") != "MESH_INTERNAL"

    @property
    def is_static(self) -> bool:
        """Whether its endpoints are addresses, which Envoy is told by EDS."""
        return bool(self.spec["resolution"] == STATIC)

    @property
    def identities(self) -> list[str]:
        """The names that the certificates of the other side may have."""
        accounts = (one.get("serviceAccount") for one in self.spec.get("endpoints") or [])
        named = {identity(self.namespace, account) for account in accounts if account}
        return sorted(named | set(self.spec.get("subjectAltNames") or []))


def added(mesh: Mesh, its: Documents, namespace: str) -> Mesh:
    """The mesh with the services of all ServiceEntries that callers of that namespace see.

    Raises Unsupported where two would be of one host or address: in Istio it depends on their age, or on chance, what
    that means.
    """
    found: dict[str, Service] = {service.host: service for service in mesh.services}
    addresses: set[str] = set()
    for item in its.service_entries:
        if not item.visible_in(namespace):
            continue
        for index, entry in enumerate(_entries(item)):
            if entry.host in found:
                raise _taken(item, f"hosts[{index}]", f"there is a service {entry.host} already")
            found[entry.host] = entry
        own = item.spec.get("addresses") or []
        if twice := addresses.intersection(own):
            raise _taken(item, "addresses", f"{min(twice)} is another ServiceEntry's")
        addresses.update(own)
    return replace(mesh, services=tuple(found.values()))


def _taken(item: Item, field: str, reason: str) -> Unsupported:
    return Unsupported(item.file, f"ServiceEntry {item.namespace}/{item.name}", f"spec.{field}", reason)


def services(documents: Iterable[Document]) -> tuple[Service, ...]:
    """What ServiceEntries add to the services that callers of their own namespaces see. Raises Unsupported."""
    items = read(one for one in documents if one.get("kind") == "ServiceEntry").service_entries
    return tuple(entry for item in items if item.visible_in(item.namespace) for entry in _entries(item))


def _entries(item: Item) -> Iterator[Entry]:
    ports = tuple(
        ServicePort(one["name"], one["number"], one["name"], str(one["protocol"]).lower())
        for one in item.spec.get("ports") or []
    )
    for host in item.spec["hosts"]:
        yield Entry(host, item.namespace, {}, ports, host, item)


def dns(entry: Entry, cluster: str, port: ServicePort, labels: Mapping[str, str]) -> dict[str, Any]:
    """What a cluster has instead of EDS where names are asked for, again and again."""
    return {
        "type": _TYPES[entry.spec["resolution"]],
        "dns_jitter": "0.100s",
        "dns_lookup_family": "V4_ONLY",
        "dns_refresh_rate": "60s",
        "respect_dns_ttl": True,
        "typed_dns_resolver_config": _RESOLVER,
        "load_assignment": assignment(entry, cluster, port, labels),
    }


def assignment(entry: Entry, cluster: str, port: ServicePort, labels: Mapping[str, str]) -> Resource:
    """The endpoints of a port that carry a subset's labels; of a name without any, the name itself."""
    spec = entry.spec
    endpoints = spec.get("endpoints") or ([] if entry.is_static else [{"address": entry.host}])
    asked = next(one for one in spec["ports"] if one["number"] == port.number)
    general = asked.get("targetPort") or port.number
    found: list[dict[str, Any]] = []
    for one in endpoints:
        if labels.items() <= (one.get("labels") or {}).items():
            number = (one.get("ports") or {}).get(port.name) or general
            address = {"socket_address": {"address": one["address"], "port_value": number}}
            found.append({"endpoint": {"address": address}, "load_balancing_weight": one.get("weight") or 1})
    if not found:
        return {"cluster_name": cluster}
    # As istiod has it, which makes a service of each address.
    found *= len(spec.get("addresses") or [""]) if spec["resolution"] != ROUND_ROBIN else 1
    weight = sum(one["load_balancing_weight"] for one in found)
    return {
        "cluster_name": cluster,
        "endpoints": [{"locality": {}, "lb_endpoints": found, "load_balancing_weight": weight}],
    }
