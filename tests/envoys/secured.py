"""A bench whose Envoy stands before each replica: policies act, and calls are mTLS."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from envoys.bench import Bench, free_port, replica
from envoys.http1 import Backend
from localmesh import envoy
from localmesh.certificates import Certificates
from localmesh.mesh import Address, Mesh, Workload
from localmesh.translate import Resources, identities, translate


@dataclass
class Secured:
    """What is in force. `inbound`: Envoy's port before the replica; `mesh`: what was translated."""

    bench: Bench
    admin: envoy.Admin
    mesh: Mesh
    inbound: int

    async def apply(self, *documents: Mapping[str, Any], jwks: Mapping[str, str] | None = None) -> None:
        """Put other documents in force."""
        self.mesh = replace(self.mesh, documents=documents, jwks=jwks or self.mesh.jwks)
        await self.bench.directory.apply(translate(self.mesh), self.admin)


def policy(kind: str, spec: str, name: str = "x", group: str = "security") -> dict[str, Any]:
    """A document about the namespace of the bench."""
    metadata = {"name": name, "namespace": "demo"}
    version = "v1alpha3" if kind == "EnvoyFilter" else "v1"
    return {
        "apiVersion": f"{group}.istio.io/{version}",
        "kind": kind,
        "metadata": metadata,
        "spec": yaml.safe_load(spec),
    }


@contextlib.asynccontextmanager
async def secured(
    bench: Bench, certificates: Certificates, backend: Backend, *documents: Mapping[str, Any]
) -> AsyncIterator[Secured]:
    """The backend as the one replica of the service; `web` and `batch` are accounts of their own."""
    async with bench.running([]) as admin:
        inbound = free_port()
        endpoint = replace(replica(backend), inbound={"http": Address("127.0.0.1", inbound)}, numbers={"http": 8080})
        workloads = [
            *(Workload(name, "demo", {"app": name}, name) for name in bench.callers),
            Workload("model", "demo", {"app": "model", "version": "v1"}, "model"),
        ]
        mesh = replace(bench.mesh([endpoint]), workloads=tuple(workloads), mtls=True)
        certificates.issue(identities(mesh))
        found = Secured(bench, admin, mesh, inbound)
        await found.apply(*documents)
        try:
            yield found
        finally:
            await bench.directory.apply(Resources(), admin)
