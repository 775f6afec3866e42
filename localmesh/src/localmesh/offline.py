"""`translate`: what a folder of Istio YAML means for some Envoys, without running anything.

Kubernetes' services are ServiceEntry documents of the mesh with inline endpoints, so that an istiod can be asked the
same and compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from localmesh.errors import LocalmeshError
from localmesh.mesh import Address, Document, Endpoint, Mesh, Service, ServicePort, Workload
from localmesh.translate import Caller, Unsupported, translate_for
from localmesh.translate.documents import read

_MEMBER = "localmesh/service-"
"""Labels that say to which services an inline endpoint belongs."""


def translate_folder(folder: Path, nodes: Path, *, mtls: bool) -> dict[str, Any]:
    """Node → clusters, endpoints, listeners and routes, as proto3 JSON. Raises LocalmeshError.

    `nodes` is JSON: name → `{"id": "sidecar~IP~POD.NAMESPACE~DOMAIN", "metadata": {"NAMESPACE", "LABELS"}}`, an edge's
    id begins with `router~`. `mtls`: whether workloads speak mTLS where a DestinationRule does not say.
    """
    documents = _documents(folder)
    try:
        callers = json.loads(nodes.read_text(encoding="utf-8"))
        read(documents)
        services = [one for one in documents if _is_service(one)]
        mesh = _mesh(services, [one for one in documents if not _is_service(one)], mtls=mtls)
        return {name: _resources(mesh, name, node) for name, node in callers.items()}
    except Unsupported as error:
        raise LocalmeshError(str(error), "Change that field; nothing that changes behaviour is ignored.") from None
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LocalmeshError(
            f"{nodes} or a ServiceEntry of {folder} cannot be read: {error!r}", "See `translate --help`."
        ) from None


def _documents(folder: Path) -> list[Document]:
    found: list[Document] = []
    for file in sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml"))):
        try:
            found += [
                _with_file(one, file) for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one is not None
            ]
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise LocalmeshError(f"{file} cannot be read: {error}", "Mend it.") from None
    if not found:
        raise LocalmeshError(f"there is no YAML in {folder}", "Name a folder with Istio's documents.")
    return found


def _with_file(document: object, file: Path) -> Document:
    if not isinstance(document, Mapping):
        raise ValueError("a document is no mapping")  # noqa: TRY004 (the file's, as other mistakes in it)
    metadata = dict(document.get("metadata") or {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), "localmesh/file": str(file)}
    return {**document, "metadata": metadata}


def _is_service(document: Document) -> bool:
    """Whether a ServiceEntry says no more than a Service and its replicas would."""
    spec = document.get("spec") or {}
    inside = (spec.get("location"), spec.get("resolution")) == ("MESH_INTERNAL", "STATIC")
    parts = [*(spec.get("ports") or []), *(spec.get("endpoints") or [])]
    more = spec.keys() & {"addresses", "exportTo", "subjectAltNames"} or any(
        part.keys() & {"targetPort", "weight"} for part in parts
    )
    return document.get("kind") == "ServiceEntry" and inside and not more


def _mesh(entries: Iterable[Document], documents: list[Document], *, mtls: bool) -> Mesh:
    services: list[Service] = []
    members: dict[str, dict[str, Any]] = {}
    for entry in entries:
        namespace = str(entry["metadata"].get("namespace", "default"))
        spec = entry["spec"]
        ports = tuple(
            ServicePort(one["name"], one["number"], one["name"], str(one["protocol"]).lower()) for one in spec["ports"]
        )
        for host in spec["hosts"]:
            mark = f"{_MEMBER}{len(services)}"
            services.append(Service(host.partition(".")[0], namespace, {mark: "yes"}, ports, host))
            for one in spec.get("endpoints") or []:
                member = members.setdefault(
                    one["address"], {"namespace": namespace, "labels": {}, "ports": {}, "account": ""}
                )
                member["labels"] |= {**(one.get("labels") or {}), mark: "yes"}
                own = one.get("ports") or {}
                member["ports"] |= {
                    port.name: Address(one["address"], own.get(port.name, port.number)) for port in ports
                }
                member["account"] = one.get("serviceAccount") or member["account"]
    return Mesh(
        services=tuple(services),
        workloads=tuple(
            Workload(ip, one["namespace"], one["labels"], one["account"])
            for ip, one in members.items()
            if one["account"]
        ),
        endpoints=tuple(
            Endpoint(ip, ip, one["namespace"], one["labels"], one["ports"], ready=True) for ip, one in members.items()
        ),
        documents=tuple(documents),
        gateway_ports=_gateway_ports(documents),
        mtls=mtls,
        log_file="/dev/stdout",
    )


def _gateway_ports(documents: list[Document]) -> dict[int, Address]:
    servers = [server for one in read(documents).gateways for server in one.spec["servers"]]
    return {server["port"]["number"]: Address("0.0.0.0", server["port"]["number"]) for server in servers}  # noqa: S104


def _resources(mesh: Mesh, name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    kind, ip = node["id"].split("~")[:2]
    metadata = node.get("metadata") or {}
    own = next((one for one in mesh.endpoints if one.replica == ip), None)
    marks = {key: value for key, value in own.labels.items() if key.startswith(_MEMBER)} if own else {}
    labels = {**(metadata.get("LABELS") or {}), **marks}
    caller = Caller(name, metadata.get("NAMESPACE", "default"), labels, is_gateway=kind == "router")
    made = asdict(translate_for(mesh, caller))
    return {key: list(made[key]) for key in ("clusters", "endpoints", "listeners", "routes")}
