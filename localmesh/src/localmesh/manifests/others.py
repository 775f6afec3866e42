"""Reading Services, ConfigMaps and Secrets."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from localmesh.kustomize import Document
from localmesh.manifests.model import ConfigMap
from localmesh.manifests.node import Node
from localmesh.mesh import Service, ServicePort

_PROTOCOLS = ("http", "http2", "grpc", "tcp")


def read_service(document: Document) -> Service:
    """A Service with a selector."""
    spec = Node(document, document.body, "").node("spec")
    if spec.peek("type") == "ExternalName":
        raise spec.error("type", "ExternalName is not supported on a laptop")
    if spec.peek("clusterIP") == "None":
        raise spec.error("clusterIP", "a headless Service is not supported on a laptop")
    spec.choose("sessionAffinity", ("None",))
    selector = spec.text_map("selector")
    if not selector:
        raise spec.error("selector", "is missing: endpoints are the replicas it selects")
    ports = tuple(_port(node) for node in spec.nodes("ports"))
    spec.done()
    return Service(document.name, document.identity.namespace, selector, ports)


def _port(node: Node) -> ServicePort:
    if node.peek("protocol") not in (None, "TCP"):
        raise node.error("protocol", "only TCP is supported")
    number = node.take("port", int)
    name = node.take("name", str, str(number))
    target: Any = node.take("targetPort", object, number)
    protocol = node.take("appProtocol", str, name.split("-", 1)[0]).lower()
    node.done()
    if protocol == "kubernetes.io/h2c":
        protocol = "http2"
    return ServicePort(name, number, str(target), protocol if protocol in _PROTOCOLS else "tcp")


def read_config(document: Document) -> ConfigMap:
    """A ConfigMap or Secret."""
    top = Node(document, document.body, "")
    data: dict[str, bytes] = {}
    encoded = "binaryData" if document.kind == "ConfigMap" else "data"
    plain = "data" if document.kind == "ConfigMap" else "stringData"
    for key, value in top.text_map(encoded).items():
        try:
            data[key] = base64.b64decode(value, validate=False)
        except binascii.Error:
            raise top.error(f"{encoded}.{key}", "is not base64") from None
    data |= {key: value.encode() for key, value in top.text_map(plain).items()}
    for field in ("apiVersion", "kind", "metadata"):
        top.take(field, object)
    top.done()
    return ConfigMap(document.kind, document.name, document.identity.namespace, data)
