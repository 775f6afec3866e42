"""Before each replica: a listener where the policies of its workload act, and the way on to its process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from localmesh.mesh import Address, Mesh, Service, ServicePort
from localmesh.translate import envoy_filter, listeners, peer_authentication, telemetry, transport_sockets
from localmesh.translate.authorization import authorization
from localmesh.translate.callers import Caller
from localmesh.translate.connection_pool import OPTIONS, circuit_breakers, http_options
from localmesh.translate.documents import Documents
from localmesh.translate.endpoints import socket_address
from localmesh.translate.gateway import Listening
from localmesh.translate.jwt_authn import jwt_authn
from localmesh.translate.registry import GRPC, HTTP, HTTP2
from localmesh.translate.resources import Resource

_CERTIFICATE_DETAILS = {"subject": True, "dns": True, "uri": True}


def cluster_name(port: int) -> str:
    """As istiod names the way to a workload's own process."""
    return f"inbound|{port}||"


def ports(mesh: Mesh, workload: Caller) -> Iterator[tuple[Service, ServicePort]]:
    """The HTTP ports that services have on this workload; of two services on one container port the first."""
    taken: set[str] = set()
    for service in mesh.services:
        if service.namespace != workload.namespace or not service.selector:
            continue
        if not service.selector.items() <= workload.labels.items():
            continue
        for port in service.ports:
            if port.protocol in HTTP and port.target not in taken:
                taken.add(port.target)
                yield service, port


def guards(mesh: Mesh, read: Documents, workload: Caller) -> list[dict[str, Any]]:
    """The filters of the policies that act on a workload, or on the edge: tokens first, then permissions."""
    return [
        *jwt_authn(read.request_authentications, workload, mesh.jwks),
        *authorization(read.authorization_policies, workload),
    ]


def edge(
    mesh: Mesh, read: Documents, caller: Caller, servers: Sequence[tuple[Listening, str]], at: Address
) -> Resource:
    """The edge's listener for a port: what listens there, and the names of its routes. One with TLS has several."""
    log = telemetry.access_log(mesh, read.telemetries, caller, telemetry.CLIENT)
    chains = []
    for one, name in servers:
        settings = listeners.edge_settings(name, name, log, guards(mesh, read, caller))
        settings = envoy_filter.patched(read.envoy_filters, caller, envoy_filter.GATEWAY, one.port, settings)
        if one.tls is None:
            return listeners.edge(name, at, settings)
        chain: dict[str, Any] = {"filters": [{"name": listeners.HTTP, "typed_config": settings}]}
        if one.server_names:
            chain["filter_chain_match"] = {"server_names": list(one.server_names)}
        chains.append({**chain, "transport_socket": transport_sockets.server(one.tls)})
    return listeners.edge_with_tls(servers[0][1], at, chains)


def listener(
    mesh: Mesh, read: Documents, workload: Caller, way: tuple[Service, ServicePort], container_port: int, at: Address
) -> Resource:
    """Where requests to one port of a workload come in, with istiod's names."""
    service, port = way
    settings = listeners.connections(
        f"inbound_{at.ip}_{container_port};",
        _routes(service, port, container_port),
        telemetry.access_log(mesh, read.telemetries, workload, telemetry.SERVER),
        guards(mesh, read, workload),
    ) | {
        "use_remote_address": False,
        "server_name": "istio-envoy",
        "forward_client_cert_details": "APPEND_FORWARD",
        "set_current_client_cert_details": _CERTIFICATE_DETAILS,
    }
    settings = envoy_filter.patched(read.envoy_filters, workload, envoy_filter.INBOUND, container_port, settings)
    mode = peer_authentication.mode(read.peer_authentications, workload, container_port)
    http = {"name": listeners.HTTP, "typed_config": settings}
    return {
        "name": cluster_name(container_port),
        "address": socket_address(at),
        "traffic_direction": "INBOUND",
        "enable_reuse_port": False,
        "listener_filters": [listeners.TLS_INSPECTOR],
        "listener_filters_timeout": "5s",
        "filter_chains": [{**chain, "filters": [http]} for chain in transport_sockets.chains(mode)],
    }


def cluster(port: ServicePort, container_port: int, process: Address) -> Resource:
    """The way to the process itself."""
    name = cluster_name(container_port)
    found: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "circuit_breakers": circuit_breakers({}, None),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(process)}}]}],
        },
    }
    if options := http_options({}, http2=port.protocol in HTTP2):
        found["typed_extension_protocol_options"] = {OPTIONS: options}
    return found


def _routes(service: Service, port: ServicePort, container_port: int) -> dict[str, Any]:
    name = cluster_name(container_port)
    limits = {"max_stream_duration": "0s", "grpc_timeout_header_max": "0s"}
    action: dict[str, Any] = {"cluster": name, "timeout": "0s", "max_stream_duration": limits}
    if port.protocol not in GRPC:
        # What the process never saw can be sent again, but for streams.
        action["retry_policy"] = {"retry_on": "reset-before-request", "num_retries": 2}
    route = {
        "name": "default",
        "match": {"prefix": "/"},
        "decorator": {"operation": f"{service.host}:{port.number}/*"},
        "route": action,
    }
    host = {"name": f"inbound|http|{port.number}", "domains": ["*"], "routes": [route]}
    return {"route_config": {"name": name, "validate_clusters": False, "virtual_hosts": [host]}}
