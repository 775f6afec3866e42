"""What the shared Envoy has before each replica: istiod's inbound listeners, with names and addresses of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from localmesh.mesh import Address, Endpoint, Mesh
from localmesh.translate import inbound, peer_authentication, peer_metadata, request_metrics, transport_sockets
from localmesh.translate.callers import Caller, of_workload
from localmesh.translate.documents import Documents
from localmesh.translate.moved_filters import moved, owner
from localmesh.translate.resources import Resource
from localmesh.translate.transport_sockets import with_certificate


def of_replicas(mesh: Mesh, read: Documents) -> Iterator[tuple[Resource, Resource, dict[str, Resource]]]:
    """Of each port of each replica, whether or not that is ready: the way to the process, the listener, its filters."""
    told = request_metrics.TOLD if request_metrics.asked_for_by_any(read.telemetries) else ()
    for replica in mesh.endpoints:
        workload = _workload(mesh, replica)
        if workload is None:
            continue
        taken: set[Address] = set()
        for service, port in inbound.ports(mesh, workload):
            at = replica.inbound.get(port.target)
            if at is None or at in taken:
                continue
            taken.add(at)
            number = replica.number(port.target)
            cluster = inbound.cluster(port, number, replica.ports[port.target])
            listener = inbound.listener(mesh, read, workload, (service, port), number, at)
            labels = request_metrics.of_called(read.telemetries, workload, service, port)
            listener = request_metrics.counted(listener, labels)
            if told:
                listener = peer_metadata.taken(listener, told)
            name = f"{replica.replica}|{at}|{cluster['name']}"
            if number != at.port:
                listener = _at_port(listener, number, at.port)
            renamed = _renamed({"cluster": cluster, "listener": listener}, cluster["name"], name)
            listener = with_certificate(renamed["listener"], workload.identity)
            yield renamed["cluster"], *moved(listener, owner(workload.name, workload.labels, number, at.port))


def replica_metadata(mesh: Mesh, read: Documents) -> Callable[[Endpoint, str], dict[str, Any]]:
    """What callers know of a replica's container port: whether they speak mTLS to it, and whose it is."""
    with_metrics = request_metrics.asked_for_by_any(read.telemetries)

    def known(replica: Endpoint, port: str) -> dict[str, Any]:
        tls = transport_sockets.TLS_MODE if takes_mtls(replica, port) else {}
        return {**tls, **(request_metrics.replica_metadata(replica) if with_metrics else {})}

    def takes_mtls(replica: Endpoint, port: str) -> bool:
        workload = _workload(mesh, replica)
        if workload is None or not mesh.mtls or port not in replica.inbound:
            return False
        mode = peer_authentication.mode(read.peer_authentications, workload, replica.number(port))
        return mode != peer_authentication.DISABLE

    return known


def _workload(mesh: Mesh, replica: Endpoint) -> Caller | None:
    """The workload with the replica's own labels, which a rollout may be about to change."""
    found = (one for one in mesh.workloads if (one.name, one.namespace) == (replica.workload, replica.namespace))
    workload = next(found, None)
    return None if workload is None else of_workload(replace(workload, labels=replica.labels))


def _renamed(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, dict):
        return {key: _renamed(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, old, new) for inner in value]
    return new if value == old else value


def _at_port(value: Any, number: int, actual: int) -> Any:  # noqa: ANN401 (JSON)
    """A policy's `destination_port` as the listener sees it: the manifest's is its own, its own was none."""
    if isinstance(value, list):
        return [_at_port(inner, number, actual) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"destination_port"}:
        asked = value["destination_port"]
        return {"destination_port": actual if asked == number else 0 if asked == actual else asked}
    return {key: _at_port(inner, number, actual) for key, inner in value.items()}
