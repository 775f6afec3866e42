"""What the mesh's proxies on a cluster say of themselves, by Envoy's admin interface in their pods."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse

from kube import NAMESPACE, get, kubectl
from topology import INGRESS


def proxies(caller: str) -> list[tuple[str, str]]:
    """(namespace, pod) of the proxies that a caller's requests leave through."""
    namespace, label = ("istio-system", "istio=ingressgateway") if caller == INGRESS else (NAMESPACE, f"app={caller}")
    found = get("pods", "-l", label, "--field-selector", "status.phase=Running", namespace=namespace)
    return [(namespace, pod["metadata"]["name"]) for pod in found if "deletionTimestamp" not in pod["metadata"]]


def _envoy(namespace: str, pod: str, path: str) -> str:
    words = ("exec", pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", path)
    return kubectl(*words, namespace=namespace)


def statistic(namespace: str, pod: str, pattern: str) -> int:
    path = f"stats?format=json&filter={urllib.parse.quote(pattern, safe='')}"
    found = json.loads(_envoy(namespace, pod, path))["stats"]
    return sum(one.get("value", 0) for one in found if "value" in one)


def configuration(namespace: str, pod: str) -> str:
    """A digest of the routes and clusters that a proxy has."""
    resources = ("dynamic_route_configs", "dynamic_active_clusters")
    text = "".join(_envoy(namespace, pod, f"config_dump?resource={resource}") for resource in resources)
    return hashlib.sha256(re.sub(r'"(last_updated|version_info)": "[^"]*"', "", text).encode()).hexdigest()


def active_listeners(namespace: str, pod: str) -> str:
    """Those in force: one that is being warmed is not."""
    found = json.loads(_envoy(namespace, pod, "config_dump?resource=dynamic_listeners")).get("configs", [])
    return json.dumps([one.get("active_state") for one in found]).replace("\\", "")


def drains(namespace: str, pod: str) -> bool:
    """Whether connections are left that a listener's earlier configuration serves; Istio gives them 45 seconds."""
    return statistic(namespace, pod, r"^listener_manager\.total_(filter_chains|listeners)_draining$") > 0
