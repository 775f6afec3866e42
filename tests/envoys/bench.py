"""One Envoy for many tests: each test gives it a mesh of its own backends."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from envoys.http1 import Backend
from localmesh import envoy
from localmesh.mesh import Address, Endpoint, Mesh, Service, ServicePort, Workload
from localmesh.translate import Resources, translate
from localmesh.xds import XdsDirectory

SERVICE = Service(
    "model",
    "demo",
    {"app": "model"},
    (ServicePort("http", 8080, "http", "http"), ServicePort("grpc", 9090, "grpc", "grpc")),
)
RULE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "DestinationRule",
    "metadata": {"name": "model", "namespace": "demo"},
}
ROUTES = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "model", "namespace": "demo"},
}
SUBSETS = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def replica(backend: Backend, version: str = "v1") -> Endpoint:
    """A backend as a ready replica of the service."""
    return _endpoint(backend.name, version, {"http": backend.port})


def grpc_replica(port: int, version: str = "v1") -> Endpoint:
    """A gRPC server as a ready replica of the service."""
    return _endpoint(f"grpc-{port}", version, {"grpc": port})


def _endpoint(name: str, version: str, ports: Mapping[str, int]) -> Endpoint:
    addresses = {port: Address("127.0.0.1", number) for port, number in ports.items()}
    return Endpoint(name, "model", "demo", {"app": "model", "version": version}, addresses, ready=True)


def rule(policy: Mapping[str, Any] | None = None, subsets: Sequence[Mapping[str, Any]] = SUBSETS) -> dict[str, Any]:
    """A DestinationRule for the service."""
    spec = {"host": "model", "subsets": list(subsets)}
    return {**RULE, "spec": {**spec, "trafficPolicy": policy} if policy else spec}


def routes(text: str) -> dict[str, Any]:
    """A VirtualService for the service, with these http routes as YAML."""
    return {**ROUTES, "spec": {"hosts": ["model"], "http": yaml.safe_load(text)}}


@dataclass
class Bench:
    """A running Envoy. `callers`: where the workloads `web` and `batch` call the service; `grpc`: where `web` does.

    `logs`: whether each request is logged.
    """

    folder: Path
    admin_address: Address
    metrics_address: Address
    directory: XdsDirectory
    pid: int = 0
    logs: bool = True
    callers: dict[str, int] = field(default_factory=dict)
    edge: int = 0
    grpc: int = 0

    def mesh(self, endpoints: Sequence[Endpoint], *documents: Mapping[str, Any]) -> Mesh:
        """The service with these replicas and documents; ports stay the same for the life of a test."""
        ports = {name: Address("127.0.0.1", port) for name, port in self.callers.items()}
        return Mesh(
            services=(SERVICE,),
            workloads=tuple(Workload(name, "demo", {"app": name}) for name in self.callers),
            endpoints=tuple(endpoints),
            documents=documents,
            outbound={
                **{(name, SERVICE.host, 8080): address for name, address in ports.items()},
                ("web", SERVICE.host, 9090): Address("127.0.0.1", self.grpc),
            },
            gateway_ports={80: Address("127.0.0.1", self.edge)},
            access_log=str(self.folder / "access.log") if self.logs else "",
        )

    @contextlib.asynccontextmanager
    async def running(self, endpoints: Sequence[Endpoint], *documents: Mapping[str, Any]) -> AsyncIterator[envoy.Admin]:
        """Make a mesh Envoy's configuration, with new ports; taken away at the end."""
        self.callers = {"web": free_port(), "batch": free_port()}
        self.edge, self.grpc = free_port(), free_port()
        admin = envoy.Admin(self.admin_address)
        await self.directory.apply(translate(self.mesh(endpoints, *documents)), admin)
        try:
            yield admin
        finally:
            await self.directory.apply(Resources(), admin)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Envoy gets no time."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def access_log(self) -> list[dict[str, Any]]:
        """All requests so far; Envoy writes them with a small delay."""
        path = self.folder / "access.log"
        return [_request(line) for line in path.read_text().splitlines()] if path.exists() else []


def _request(line: str) -> dict[str, Any]:
    """The fields of Istio's default format that tests look at."""
    fields = shlex.split(line)
    names = {1: "request", 2: "response_code", 3: "response_flags", 14: "authority", 16: "upstream_cluster"}
    return {name: fields[index] for index, name in names.items()}


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Bench]:
    """Start an Envoy with no configuration, and stop it."""
    admin, metrics = (Address("127.0.0.1", free_port()) for _ in range(2))
    log = folder / "envoy.log"
    directory = XdsDirectory(folder / "xds", log)
    directory.write(Resources())
    bootstrap = folder / "bootstrap.json"
    bootstrap.write_text(json.dumps(envoy.bootstrap(xds=directory.path, admin=admin, metrics=metrics)))
    process = subprocess.Popen(envoy.command(envoy.binary(), bootstrap, log=log))
    try:
        deadline = time.monotonic() + 15
        while not _answers(admin):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "Envoy did not start"
        yield Bench(folder, admin, metrics, directory, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _answers(admin: Address) -> bool:
    try:
        return httpx.get(f"http://{admin}/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
