"""The fields of a ServiceEntry that are translated, and the words for those that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import field_names
from localmesh.translate.field_names import is_address
from localmesh.translate.field_values import FieldError, integer, label, one_of, text
from localmesh.translate.fields import export_to, listing, mapping, message, refused, unique

_PROTOCOLS = ("HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "TCP", "TLS")
_ONE_PLACE = refused("all of a laptop's calls go out from one place; leave it out")


def _host(value: object, path: str) -> None:
    text(value, path)
    if str(value).startswith("*"):
        raise FieldError(
            path, "a wildcard needs the address that was called, and a laptop's calls go to Envoy: name hosts"
        )
    field_names.name(value, path)
    if value != str(value).lower():
        raise FieldError(path, "write it in small letters: Istio finds no way to others")


def _called_at(value: object, path: str) -> None:
    text(value, path)
    if not is_address(value):
        raise FieldError(path, f"{value!r} is no address; ranges mean nothing where calls go to Envoy")


def _resolution(value: object, path: str) -> None:
    if value in ("NONE", "DYNAMIC_DNS"):
        raise FieldError(
            path, f"{value} needs the address or name that was called, and a laptop's calls go to Envoy: use DNS"
        )
    one_of("STATIC", "DNS", "DNS_ROUND_ROBIN")(value, path)


def _protocol(value: object, path: str) -> None:
    text(value, path)
    one_of(*_PROTOCOLS)(str(value).upper(), path)


def _endpoints(spec: dict[str, Any]) -> str | None:
    """What istiod's own validation asks of them."""
    resolution, endpoints = spec["resolution"], spec.get("endpoints") or []
    names = {port["name"] for port in spec.get("ports") or []}
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        return "DNS_ROUND_ROBIN takes one endpoint at most"
    if resolution == "STATIC" and not all(is_address(one["address"]) for one in endpoints):
        return "endpoints of resolution STATIC need addresses; names need DNS"
    unknown = {name for one in endpoints for name in one.get("ports") or {}} - names
    return f"an endpoint names the port {min(unknown)}, which is none of ports" if unknown else None


def _hosts_of_addresses(spec: Mapping[str, Any]) -> str | None:
    both = len(spec["hosts"]) > 1 and spec.get("addresses")
    return "an address cannot tell several hosts apart: Istio gives it to one of them" if both else None


def _hosts_of_tcp(spec: Mapping[str, Any]) -> str | None:
    plain = [port for port in spec.get("ports") or [] if str(port["protocol"]).upper() == "TCP"]
    return "a port of protocol TCP cannot tell several hosts apart" if plain and len(spec["hosts"]) > 1 else None


SERVICE_ENTRY = message(
    hosts=listing(_host, at_least=1),
    addresses=listing(_called_at),
    ports=listing(
        message(
            number=integer(1, 65535),
            protocol=_protocol,
            name=label,
            targetPort=integer(1, 65535),
            required=("number", "name", "protocol"),
        ),
    ),
    location=one_of("MESH_EXTERNAL", "MESH_INTERNAL"),
    resolution=_resolution,
    endpoints=listing(
        message(
            address=field_names.or_address(field_names.name),
            ports=mapping(integer(1, 65535)),
            labels=field_names.labels,
            weight=integer(0, 2**32 - 1),
            serviceAccount=text,
            network=_ONE_PLACE,
            locality=_ONE_PLACE,
            required=("address",),
        )
    ),
    workloadSelector=refused("a Service selects a laptop's workloads; name others by endpoints"),
    exportTo=export_to,
    subjectAltNames=listing(text),
    required=("hosts", "resolution"),
    rules=(unique("ports", "name"), unique("ports", "number"), _endpoints, _hosts_of_tcp, _hosts_of_addresses),
)
