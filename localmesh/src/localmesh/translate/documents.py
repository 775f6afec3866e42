"""Istio documents, checked field by field and put in the order in which istiod takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localmesh.mesh import Document
from localmesh.translate.errors import Unsupported
from localmesh.translate.fields import Check, FieldError
from localmesh.translate.fields_destination_rule import DESTINATION_RULE
from localmesh.translate.fields_gateway import GATEWAY
from localmesh.translate.fields_virtual_service import VIRTUAL_SERVICE

FILE_ANNOTATION = "localmesh/file"
"""An annotation that names the file a document was rendered from; only errors read it."""

_SHAPES: dict[str, Check] = {
    "DestinationRule": DESTINATION_RULE,
    "Gateway": GATEWAY,
    "VirtualService": VIRTUAL_SERVICE,
}
_GROUP = "networking.istio.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha3")


@dataclass(frozen=True)
class Item:
    """One document that can be translated."""

    kind: str
    namespace: str
    name: str
    spec: Mapping[str, Any]

    def visible_in(self, namespace: str) -> bool:
        """Whether its exportTo lets callers of `namespace` see it."""
        export = self.spec.get("exportTo") or ["*"]
        return "*" in export or namespace in export or ("." in export and namespace == self.namespace)

    @property
    def config(self) -> str:
        """How istiod names it in an Envoy resource's metadata."""
        kind = {"VirtualService": "virtual-service", "DestinationRule": "destination-rule"}[self.kind]
        return f"/apis/{_GROUP}/v1/namespaces/{self.namespace}/{kind}/{self.name}"


@dataclass(frozen=True)
class Documents:
    """The documents by kind, each list sorted by name and namespace as istiod does for equal ages."""

    virtual_services: tuple[Item, ...]
    destination_rules: tuple[Item, ...]
    gateways: tuple[Item, ...]


def read(documents: Iterable[Document]) -> Documents:
    """Check each document of Istio's; those of other makers are left out. Raises Unsupported."""
    items = [_checked(document) for document in documents if _is_traffic(document)]
    items.sort(key=lambda item: (item.name, item.namespace))
    return Documents(
        *(
            tuple(item for item in items if item.kind == kind)
            for kind in ("VirtualService", "DestinationRule", "Gateway")
        )
    )


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
    if group != _GROUP or kind not in _SHAPES:
        raise Unsupported(
            file,
            resource,
            "kind",
            f"not supported on the laptop mesh; supported: {', '.join(sorted(_SHAPES))} of {_GROUP}",
        )
    if version not in _VERSIONS:
        raise Unsupported(file, resource, "apiVersion", f"unknown version; use {_GROUP}/v1")
    for field in document.keys() - {"apiVersion", "kind", "metadata", "spec", "status"}:
        raise Unsupported(file, resource, field, "unknown field; the nearest supported one is spec")
    spec = document.get("spec")
    try:
        _SHAPES[kind](spec, "spec")
    except FieldError as error:
        raise Unsupported(file, resource, error.field, error.reason) from error
    return Item(kind, namespace, name, dict(spec or {}))
