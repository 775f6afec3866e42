"""Istio documents, checked field by field and put in the order in which istiod takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localmesh.mesh import Document
from localmesh.translate.errors import Unsupported
from localmesh.translate.field_values import Check, FieldError, label
from localmesh.translate.fields_destination_rule import DESTINATION_RULE
from localmesh.translate.fields_extensions import ENVOY_FILTER, SIDECAR, TELEMETRY
from localmesh.translate.fields_gateway import GATEWAY
from localmesh.translate.fields_security import AUTHORIZATION_POLICY, PEER_AUTHENTICATION, REQUEST_AUTHENTICATION
from localmesh.translate.fields_service_entry import SERVICE_ENTRY
from localmesh.translate.fields_virtual_service import VIRTUAL_SERVICE

FILE_ANNOTATION = "localmesh/file"
"""An annotation that names the file a document was rendered from; only errors read it."""

_NETWORKING, _SECURITY = "networking.istio.io", "security.istio.io"
_TELEMETRY = "telemetry.istio.io"
SHAPES: dict[tuple[str, str], Check] = {
    (_NETWORKING, "DestinationRule"): DESTINATION_RULE,
    (_NETWORKING, "EnvoyFilter"): ENVOY_FILTER,
    (_NETWORKING, "Gateway"): GATEWAY,
    (_NETWORKING, "ServiceEntry"): SERVICE_ENTRY,
    (_NETWORKING, "Sidecar"): SIDECAR,
    (_NETWORKING, "VirtualService"): VIRTUAL_SERVICE,
    (_SECURITY, "AuthorizationPolicy"): AUTHORIZATION_POLICY,
    (_SECURITY, "PeerAuthentication"): PEER_AUTHENTICATION,
    (_SECURITY, "RequestAuthentication"): REQUEST_AUTHENTICATION,
    (_TELEMETRY, "Telemetry"): TELEMETRY,
}
"""What each kind may say, by group and kind."""
REFUSED_KINDS = {
    ("extensions.istio.io", "WasmPlugin"): "put the code into the service: Envoy runs none here",
    (_NETWORKING, "ProxyConfig"): "there is one Envoy for all workloads, with one thread",
    (_NETWORKING, "WorkloadEntry"): "name machines by the endpoints of a ServiceEntry",
    (_NETWORKING, "WorkloadGroup"): "name machines by the endpoints of a ServiceEntry",
}
"""Istio's kinds that mean something on a cluster alone, and what to do instead."""
_BOOLEANS = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True)
_BOOLEANS |= dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False)
"""As Go reads them."""
_VERSIONS = ("v1", "v1beta1", "v1alpha3", "v1alpha1")
_DRY_RUN = "istio.io/dry-run"


@dataclass(frozen=True)
class Item:
    """One document that can be translated."""

    kind: str
    namespace: str
    name: str
    spec: Mapping[str, Any]
    dry_run: bool = False
    """Whether an AuthorizationPolicy only says what it would do."""
    file: str = ""

    def visible_in(self, namespace: str) -> bool:
        """Whether its exportTo lets callers of `namespace` see it."""
        export = self.spec.get("exportTo") or []
        return self.is_public or namespace in export or ("." in export and namespace == self.namespace)

    @property
    def is_public(self) -> bool:
        """Whether its exportTo lets everyone see it."""
        return "*" in (self.spec.get("exportTo") or ["*"])

    @property
    def config(self) -> str:
        """How istiod names it in an Envoy resource's metadata."""
        kind = {"VirtualService": "virtual-service", "DestinationRule": "destination-rule"}[self.kind]
        return f"/apis/{_NETWORKING}/v1/namespaces/{self.namespace}/{kind}/{self.name}"


@dataclass(frozen=True)
class Documents:
    """The documents by kind, each list sorted by name and namespace as istiod does for equal ages."""

    virtual_services: tuple[Item, ...]
    destination_rules: tuple[Item, ...]
    gateways: tuple[Item, ...]
    request_authentications: tuple[Item, ...]
    authorization_policies: tuple[Item, ...]
    peer_authentications: tuple[Item, ...]
    telemetries: tuple[Item, ...] = ()
    sidecars: tuple[Item, ...] = ()
    envoy_filters: tuple[Item, ...] = ()
    service_entries: tuple[Item, ...] = ()


def read(documents: Iterable[Document]) -> Documents:
    """Check each document of Istio's; those of other makers are left out. Raises Unsupported."""
    items = [_checked(document) for document in documents if _is_traffic(document)]
    items.sort(key=lambda item: (item.name, item.namespace))
    return Documents(
        virtual_services=_of(items, "VirtualService"),
        destination_rules=_of(items, "DestinationRule"),
        gateways=_of(items, "Gateway"),
        request_authentications=_of(items, "RequestAuthentication"),
        authorization_policies=_of(items, "AuthorizationPolicy"),
        peer_authentications=_of(items, "PeerAuthentication"),
        telemetries=_of(items, "Telemetry"),
        sidecars=_of(items, "Sidecar"),
        envoy_filters=_of(items, "EnvoyFilter"),
        service_entries=_of(items, "ServiceEntry"),
    )


def server_credentials(documents: Iterable[Document]) -> frozenset[str]:
    """The Secrets that Gateways show. Raises Unsupported."""
    gateways = read([one for one in documents if one.get("kind") == "Gateway"]).gateways
    servers = (server for item in gateways for server in item.spec["servers"])
    named = ((server.get("tls") or {}).get("credentialName") for server in servers)
    return frozenset(name for name in named if name)


def _of(items: Iterable[Item], kind: str) -> tuple[Item, ...]:
    return tuple(item for item in items if item.kind == kind)


def _is_traffic(document: Document) -> bool:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    return group.endswith("istio.io") or group.startswith("gateway.networking")


def _checked(document: Document) -> Item:
    metadata = document.get("metadata") or {}
    kind, name = str(document.get("kind", "")), str(metadata.get("name", ""))
    namespace = str(metadata.get("namespace", "default"))
    file = str((metadata.get("annotations") or {}).get(FILE_ANNOTATION, ""))
    resource = f"{kind} {namespace}/{name}"
    group, _, version = str(document.get("apiVersion", "")).partition("/")
    shape = SHAPES.get((group, kind))
    if instead := REFUSED_KINDS.get((group, kind)):
        raise Unsupported(file, resource, "kind", f"not supported on the laptop mesh; {instead}")
    if shape is None:
        supported = ", ".join(sorted(name for _, name in SHAPES))
        raise Unsupported(file, resource, "kind", f"not supported on the laptop mesh; supported: {supported}")
    if version not in _VERSIONS:
        raise Unsupported(file, resource, "apiVersion", f"unknown version; use {group}/v1")
    for field in document.keys() - {"apiVersion", "kind", "metadata", "spec", "status"}:
        raise Unsupported(file, resource, field, "unknown field; the nearest supported one is spec")
    spec = document.get("spec")
    try:
        shape(spec, "spec")
        if kind == "Gateway":
            label(name, "metadata.name")
        if {".", namespace} <= set((spec or {}).get("exportTo") or []):
            raise FieldError("spec.exportTo", f". and {namespace} are the same namespace")
        dry_run = _is_dry_run(kind, metadata.get("annotations") or {}, spec or {})
    except FieldError as error:
        raise Unsupported(file, resource, error.field, error.reason) from error
    return Item(kind, namespace, name, dict(spec or {}), dry_run, file)


def _is_dry_run(kind: str, annotations: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    if _DRY_RUN not in annotations:
        return False
    field, said = f"metadata.annotations.{_DRY_RUN}", annotations[_DRY_RUN]
    if kind != "AuthorizationPolicy" or spec.get("action") == "AUDIT":
        raise FieldError(field, "only an AuthorizationPolicy that allows or denies can be tried")
    if not isinstance(said, str) or said not in _BOOLEANS:
        raise FieldError(field, 'must be "true" or "false", in quotes')
    return _BOOLEANS[said]
