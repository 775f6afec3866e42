"""What makes the laptop tier Inkmesh's: its folders, its secrets and its models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from inkmesh import keys, models
from inkmesh.commands import add_commands
from localmesh.product import Finding, Product


def _examine_cluster(environment: Mapping[str, str]) -> list[Finding]:
    from inkmesh.doctor import examine_cluster  # HTTP, which few commands need

    return examine_cluster(environment)


PRODUCT = Product(
    name="inkmesh",
    summary="Inkmesh on this machine: every service a process, one Envoy as the mesh, driven by k8s/ and istio/.",
    overlay="k8s/overlays/laptop",
    scenarios="istio/scenarios",
    home=".inkmesh",
    env_prefix="INKMESH",
    reference="inkmesh.product:PRODUCT",
    located_at=Path(__file__),
    make_secrets=keys.make_signing_key,
    preparations=(models.TRAINING,),
    findings=models.findings,
    examine_cluster=_examine_cluster,
    # The time that requests took, a second: as many were under way on average.
    pod_metrics={"requests_in_flight": "inkmesh_request_duration_seconds_sum"},
    add_commands=add_commands,
)
