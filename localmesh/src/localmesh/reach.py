"""Which services a workload calls: those that its manifest names by Kubernetes' service variables.

Each way out costs Envoy a listener, its clusters, and an inotify instance a cluster (Linux grants a user 128), so there
is one where the manifest says that it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from localmesh.manifests.model import Deployment
from localmesh.mesh import Service, ServicePort

_HTTP = frozenset({"http", "http2", "grpc"})


def reached(deployment: Deployment, services: Iterable[Service]) -> Iterator[tuple[Service, list[ServicePort]]]:
    """Each service that is named, with the ports that are; all its ports when only its host is."""
    if not deployment.service_links:
        return
    names = set(_references(deployment))
    for service in services:
        prefix = re.sub(r"[-.]", "_", service.name.upper())
        if service.namespace != deployment.namespace or not _mentions(names, prefix):
            continue
        ports = [port for port in service.ports if port.protocol in _HTTP]
        yield service, [port for index, port in enumerate(ports) if _names_of(prefix, index, port) & names] or ports


def _references(deployment: Deployment) -> Iterator[str]:
    container = deployment.container
    texts = [variable.value for variable in container.env if isinstance(variable.value, str)]
    for text in (*texts, *container.command, *container.args):
        yield from re.findall(r"\$\(([^()\s]+)\)", text)


def _mentions(names: Iterable[str], prefix: str) -> bool:
    return any(re.fullmatch(rf"{prefix}_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_TCP(_\w+)?)?)", name) for name in names)


def _names_of(prefix: str, index: int, port: ServicePort) -> set[str]:
    named = {f"{prefix}_SERVICE_PORT_{port.name.upper().replace('-', '_')}"}
    named |= {f"{prefix}_PORT_{port.number}_TCP{part}" for part in ("", "_ADDR", "_PORT", "_PROTO")}
    return named | {f"{prefix}_SERVICE_PORT", f"{prefix}_PORT"} if index == 0 else named
