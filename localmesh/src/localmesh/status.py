"""What `status --json` says."""

from __future__ import annotations

from typing import Any

from localmesh import metrics_page
from localmesh.replica import Replica
from localmesh.supervisor import Supervisor
from localmesh.translate import server_credentials
from localmesh.workload import Workload


def status(supervisor: Supervisor, envoy_version: str) -> dict[str, Any]:
    """The state of one copy, as the design has it."""
    return {
        "ingress": url(supervisor),
        "ingress_tls": tls_url(supervisor),
        "envoy": {
            "version": envoy_version,
            "admin": f"http://{supervisor.dataplane.admin.address}",
            "metrics": f"http://{supervisor.dataplane.metrics}{metrics_page.PATH}",
            "pid": supervisor.dataplane.process.pid if supervisor.dataplane.process else None,
            "restarts": supervisor.dataplane.restarts,
        },
        "overlay": supervisor.overlay,
        "scenario": supervisor.plan.scenario,
        "ready": supervisor.ready,
        "autoscalers": supervisor.autoscaling.status(),
        "workloads": [_workload(supervisor, name) for name in sorted(supervisor.workloads)],
    }


def url(supervisor: Supervisor) -> str:
    """The ingress, for a browser."""
    return f"http://localhost:{supervisor.ingress.port}"


def tls_url(supervisor: Supervisor) -> str | None:
    """The ingress with TLS, None when no Gateway has a server for it."""
    if not server_credentials(supervisor.plan.manifests.mesh):
        return None
    return f"https://localhost:{supervisor.ingress_tls.port}"


def _workload(supervisor: Supervisor, name: str) -> dict[str, Any]:
    workload = supervisor.workloads[name]
    return {
        "name": name,
        "service": _service(supervisor, workload),
        "version": workload.deployment.labels.get("version"),
        "desired": workload.desired,
        "replicas": [_replica(replica, fronted=supervisor.fronted) for replica in workload.replicas],
    }


def _service(supervisor: Supervisor, workload: Workload) -> str | None:
    labels = workload.deployment.labels.items()
    for service in supervisor.plan.manifests.services:
        if service.namespace == workload.deployment.namespace and service.selector.items() <= labels:
            return service.name
    return None


def _replica(replica: Replica, *, fronted: bool) -> dict[str, Any]:
    """`http` and `grpc` are where others reach it: Envoy's, once it stands before replicas. `own` is its process."""
    names = [port.name for port in replica.deployment.container.ports if port.name in replica.ports]
    own = {name: str(replica.ports[name]) for name in names}
    inbound = {name: str(address) for name, address in replica.inbound.items()} if fronted else {}
    reached = inbound or own
    return {
        "name": replica.name,
        "pid": replica.process.pid if replica.process else None,
        "http": reached.get("http"),
        "grpc": reached.get("grpc"),
        "inbound": inbound,
        "own": own,
        "ready": replica.ready,
        "restarts": replica.restarts,
    }
