"""`inkmesh doctor hpa --tier cluster`: the autoscalers of the cluster that KUBECONFIG names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from inkmesh.doctor.chain import findings
from inkmesh.doctor.snapshot import Snapshot, take
from inkmesh.load.api_server import ApiServer
from localmesh.product import Finding


def examine_cluster(environment: Mapping[str, str]) -> list[Finding]:
    """Each chain of the namespace INKMESH_NAMESPACE, `inkmesh` by default."""
    return list(findings(asyncio.run(_ask(environment.get("INKMESH_NAMESPACE", "inkmesh")))))


async def _ask(namespace: str) -> Snapshot:
    api = ApiServer()
    try:
        return await take(api, namespace)
    finally:
        await api.close()
