"""The whole product on a Kubernetes cluster with Istio, driven with kubectl alone: what product.py is for the laptop.

KUBECONFIG and INGRESS_URL say which cluster; within a pod, INGRESS_URL is enough. The images `inkmesh/…:dev` must be
there (built, pushed or loaded).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kube import NAMESPACE, get, kubectl
from product import ROOT, Guest, eventually, total
from proxies import active_listeners, configuration, drains, proxies, statistic
from topology import PORTS, Edge

OVERLAY = ROOT / "tests" / "cluster" / os.environ.get("INKMESH_OVERLAY", "overlay")
KEEP = bool(os.environ.get("INKMESH_KEEP"))
"""Leave the product running after the tests, to look at it, or to start the next run sooner."""
INSTALLED = bool(os.environ.get("INKMESH_INSTALLED"))
"""The product is there already, and not ours to take away: `skaffold verify`."""
WORKLOADS = ("frontend", "gateway", "inference-v1", "inference-v2", "inference-v3", "payment")

_ASK = (
    "import sys, urllib.request as r; print(r.urlopen(r.Request(sys.argv[2], sys.argv[3].encode() or None, "
    "{'content-type': 'application/json'}, method=sys.argv[1]), timeout=5).read().decode())"
)


@dataclass
class Cluster:
    """The product in its namespace."""

    http: httpx.Client
    rate = 20.0

    @property
    def url(self) -> str:
        return str(self.http.base_url).rstrip("/")

    @property
    def host(self) -> str:
        return self.http.base_url.host

    @property
    def port(self) -> int:
        return self.http.base_url.port or 80

    def guest(self) -> Guest:
        session = self.http.post("/api/v1/sessions").json()
        return Guest(self.http, session["token"], session["account_id"])

    def replicas(self, workload: str) -> list[dict[str, Any]]:
        """A workload's pods that are not on their way out."""
        return [_replica(pod) for pod in pods(workload) if "deletionTimestamp" not in pod["metadata"]]

    def ask(self, replica: dict[str, Any], method: str, path: str, body: str = "") -> str:
        """A call from within the pod, past the mesh, as kubectl port-forward would reach it."""
        address = f"http://127.0.0.1:8080{path}"
        return kubectl(
            "exec", replica["name"], "-c", replica["service"], "--", "python", "-c", _ASK, method, address, body
        )

    def metric(self, replica: dict[str, Any], name: str, **labels: str) -> float:
        return total(self.ask(replica, "GET", "/metrics"), name, labels)

    @contextlib.contextmanager
    def sick(self, replica: dict[str, Any], **how: Any) -> Iterator[None]:
        self.ask(replica, "PUT", "/faults", json.dumps({"ratio": 1.0, "status": 503} | how))
        try:
            yield
        finally:
            self.ask(replica, "DELETE", "/faults")

    @contextlib.contextmanager
    def scenario(self, name: str) -> Iterator[None]:
        self.apply(ROOT / "istio" / "scenarios" / name)
        try:
            yield
        finally:
            self.apply(ROOT / "istio" / "base" / "inference")

    def apply(self, folder: Path) -> None:
        """Apply what changes the gateway's way to inference; return when its proxies have it."""
        before = {pod: configuration(*pod) for pod in proxies("gateway")}
        kubectl("apply", "-k", str(folder), namespace="")
        for pod, digest in before.items():
            eventually(lambda pod=pod, digest=digest: configuration(*pod) != digest, 20)

    def calls(self, edge: Edge, counter: str, version: str = "[a-z0-9]*") -> int:
        way = rf"^cluster\.outbound\|{PORTS[edge.port]}\|{version}\|{edge.upstream}\..*\.{counter}$"
        return sum(statistic(*pod, way) for pod in proxies(edge.caller))

    def injected(self, what: str) -> int:
        return sum(statistic(*pod, rf"{what}_injected$") for pod in proxies("gateway"))

    def fetch_keys(self) -> None:
        """Have istiod ask for the gateway's keys: a new URL it asks at once, one that it knows every 20 minutes.

        The rule that was there stays beside it, or tokens would be refused until istiod has its answer.
        """
        (found,) = get("requestauthentication")
        rules = found["spec"]["jwtRules"]
        url = f"{rules[0]['jwksUri'].partition('?')[0]}?{time.time()}"
        self.check_tokens([rules[-1], rules[-1] | {"jwksUri": url}])

    def check_tokens(self, rules: list[dict[str, Any]]) -> None:
        """Put these rules for tokens in force."""
        patch = json.dumps({"spec": {"jwtRules": rules}})
        kubectl("patch", "requestauthentication", "gateway-tokens", "--type=merge", "-p", patch)

    def knows_keys(self, names: set[str]) -> list[bool]:
        """Whether each of the gateway's proxies checks tokens with these keys by now, on old connections too."""
        return [
            names <= set(re.findall(r'"kid": ?"([^"]+)"', active_listeners(*pod))) and not drains(*pod)
            for pod in proxies("gateway")
        ]

    def logs(self) -> str:
        """The last minutes of all services."""
        return "\n".join(
            kubectl("logs", "-l", f"app={name}", "-c", name, "--since=5m", "--tail=-1", "--prefix")
            for name in ("frontend", "gateway", "payment", "inference")
        )


def pods(workload: str) -> list[dict[str, Any]]:
    """The pods of `SERVICE` or `SERVICE-VERSION`."""
    service, _, version = workload.partition("-v")
    return get("pods", "-l", f"app={service}" + (f",version=v{version}" if version else ""))


def _replica(pod: dict[str, Any]) -> dict[str, Any]:
    service = pod["metadata"]["labels"]["app"]
    (container,) = [one for one in pod["status"].get("containerStatuses", []) if one["name"] == service] or [{}]
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
    return {
        "name": pod["metadata"]["name"],
        "service": service,
        "ip": pod["status"].get("podIP"),
        "ready": ready,
        "restarts": container.get("restartCount", 0),
    }


def ready(workload: str, seconds: int = 150) -> None:
    """Wait until a workload's rollout is done."""
    kubectl("rollout", "status", f"deployment/{workload}", f"--timeout={seconds}s")


@contextlib.contextmanager
def _ingress_counts() -> Iterator[None]:
    """Istio's gateway hides its counters of upstreams: it shows them while the tests run."""
    name = "deployment/istio-ingressgateway"
    show = {"sidecar.istio.io/statsInclusionRegexps": r"cluster\.outbound.*"}
    _patch_ingress(name, {"spec": {"template": {"metadata": {"annotations": show}}}})
    try:
        yield
    finally:
        if not KEEP:
            hide = dict.fromkeys(show)
            _patch_ingress(name, {"spec": {"template": {"metadata": {"annotations": hide}}}})


def _patch_ingress(name: str, patch: dict[str, Any]) -> None:
    kubectl("patch", name, "--type=merge", "-p", json.dumps(patch), namespace="istio-system")
    kubectl("rollout", "status", name, "--timeout=120s", namespace="istio-system")


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """Apply the test's overlay, wait until a guest can read, and delete it all in the end."""
    needed = ("INGRESS_URL",) if "KUBERNETES_SERVICE_HOST" in os.environ else ("KUBECONFIG", "INGRESS_URL")
    missing = [name for name in needed if not os.environ.get(name)]
    assert not missing, f"{' and '.join(missing)} must say which cluster, and where its ingress is"
    with _applied(), _ingress_counts(), httpx.Client(base_url=os.environ["INGRESS_URL"], timeout=30) as http:
        cluster = Cluster(http)
        eventually(lambda: _serves(cluster), 60, every=1)
        cluster.fetch_keys()  # istiod may remember those of an earlier copy, or that there were none
        published = {key["kid"] for key in http.get("/.well-known/jwks.json").json()["keys"]}
        eventually(lambda: all(cluster.knows_keys(published)), 120, every=1)
        eventually(lambda: _reads(cluster), 60, every=1)
        yield cluster


@contextlib.contextmanager
def _applied() -> Iterator[None]:
    if not INSTALLED:
        going = "jsonpath={.metadata.deletionTimestamp}"
        eventually(lambda: not kubectl("get", "namespace", NAMESPACE, "-o", going, check=False), 120, every=1)
        kubectl("apply", "-k", str(OVERLAY), namespace="")
    try:
        for workload in WORKLOADS:
            ready(workload)
        yield
    finally:
        if not (KEEP or INSTALLED):
            kubectl("delete", "-k", str(OVERLAY), "--ignore-not-found", "--wait=true", namespace="")


def _serves(cluster: Cluster) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return cluster.http.get("/.well-known/jwks.json").status_code == 200
    return False


def _reads(cluster: Cluster) -> bool:
    """The whole way is there: keys, certificates, the ledger, the models."""
    with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
        return cluster.guest().read().status_code == 201
    return False
