"""A metrics API that says what a trace says: resource and custom metrics, behind the API server's aggregation."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .traces import METRIC, WINDOW

RESOURCE, CUSTOM = ("metrics.k8s.io", "v1beta1"), ("custom.metrics.k8s.io", "v1beta2")
SERVICE = "fake-metrics"

Measured = Callable[[str, bool], tuple[str, Mapping[str, int]]]
"""(trace, whether the custom metric is meant) → the timestamp, and pods by what they use, in thousandths."""


def serve(certificate: tuple[Path, Path], measured: Measured) -> ThreadingHTTPServer:
    """Serve at a free port until `shutdown`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = answer(self.path, measured)
            body = json.dumps(found or {"kind": "Status", "code": 404}).encode()
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def answer(target: str, measured: Measured) -> dict[str, Any] | None:
    """What the API says at a path; None: nothing is there."""
    url = urlsplit(target)
    path = url.path.rstrip("/")
    for group, version in (RESOURCE, CUSTOM):
        if path == f"/apis/{group}/{version}":
            return {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": f"{group}/{version}",
                "resources": [],
            }
    labels = parse_qs(url.query).get("labelSelector", [""])[0]
    trace = re.fullmatch(r"app=([a-z-]+)", labels)
    if trace is None:
        return None
    if path.startswith(f"/apis/{RESOURCE[0]}/") and path.endswith("/pods"):
        return _list("PodMetricsList", RESOURCE, [_usage(*one) for one in _pods(measured, trace[1], False)])
    if path.startswith(f"/apis/{CUSTOM[0]}/") and path.endswith(f"/{METRIC}"):
        return _list("MetricValueList", CUSTOM, [_value(*one) for one in _pods(measured, trace[1], True)])
    return None


def api_services(port: int) -> list[tuple[str, dict[str, Any]]]:
    """What makes the API server ask here: (path, object)."""
    service = {"name": SERVICE, "namespace": "default", "port": port}
    found: list[tuple[str, dict[str, Any]]] = [
        ("/api/v1/namespaces/default/services", {
            "metadata": {"name": SERVICE},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
        })
    ]  # fmt: skip
    for group, version in (RESOURCE, CUSTOM):
        found.append(("/apis/apiregistration.k8s.io/v1/apiservices", {
            "metadata": {"name": f"{version}.{group}"},
            "spec": {"group": group, "version": version, "service": service, "insecureSkipTLSVerify": True,
                     "groupPriorityMinimum": 100, "versionPriority": 100},
        }))  # fmt: skip
    return found


def _pods(measured: Measured, trace: str, custom: bool) -> list[tuple[str, str, int]]:
    at, found = measured(trace, custom)
    return [(name, at, milli) for name, milli in found.items()]


def _usage(name: str, at: str, milli: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default"}, "timestamp": at, "window": f"{WINDOW}s",
        "containers": [{"name": "main", "usage": {"cpu": f"{milli}m", "memory": "1Mi"}}],
    }  # fmt: skip


def _value(name: str, at: str, milli: int) -> dict[str, Any]:
    return {
        "describedObject": {"kind": "Pod", "apiVersion": "v1", "name": name, "namespace": "default"},
        "metric": {"name": METRIC}, "timestamp": at, "value": f"{milli}m",
    }  # fmt: skip


def _list(kind: str, group: tuple[str, str], items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": kind, "apiVersion": "/".join(group), "metadata": {}, "items": items}
