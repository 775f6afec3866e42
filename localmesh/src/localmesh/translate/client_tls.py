"""DestinationRule's `tls` of mode SIMPLE or MUTUAL: Envoy speaks TLS to a service for its callers.

A secret's name says in istiod's form where a certificate is from: `file-root:` and `file-cert:` are paths (`system` is
what this machine trusts), `kubernetes://` is a Secret, which the edge alone may read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from localmesh.mesh import Document
from localmesh.translate.connection_pool import OPTIONS
from localmesh.translate.resources import Resource
from localmesh.translate.transport_sockets import SOURCE, VERSIONS, credential

ORIGINATED = ("SIMPLE", "MUTUAL")
SYSTEM = "system"
FILE_ROOT, FILE_CERTIFICATE, SECRET_ROOT = "file-root:", "file-cert:", "-cacert"
_BETWEEN = "~"
_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"

Tls = Mapping[str, Any]


def originated(cluster: Resource, tls: Tls, names: Sequence[str], *, http2: bool, is_gateway: bool) -> Resource:
    """The cluster with TLS. `names`: which the other side's certificate must have one of."""
    metadata = cluster["metadata"]["filter_metadata"]
    kept = {**metadata, "istio": {**metadata["istio"], "alpn_override": "false"}}
    cluster = {**cluster, "metadata": {"filter_metadata": kept}}
    if tls.get("credentialName") and not is_gateway:
        # As in Istio, where a workload cannot read the Secret: plain text.
        return cluster
    common = {"tls_params": VERSIONS, **_certificate(tls), **_validation(tls, names)}
    if http2:
        common["alpn_protocols"] = ["h2"]
    context = {"@type": _TYPE, "common_tls_context": common, **({"sni": tls["sni"]} if tls.get("sni") else {})}
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return {**_with_names_of_requests(cluster, tls), "transport_socket": socket}


def _certificate(tls: Tls) -> dict[str, Any]:
    """What is shown to the other side."""
    if tls["mode"] != "MUTUAL":
        return {}
    if tls.get("credentialName"):
        return {"tls_certificate_sds_secret_configs": [_secret(credential(tls["credentialName"]))]}
    name = f"{FILE_CERTIFICATE}{tls['clientCertificate']}{_BETWEEN}{tls['privateKey']}"
    return {"tls_certificate_sds_secret_configs": [_secret(name)]}


def _validation(tls: Tls, names: Sequence[str]) -> dict[str, Any]:
    """What is asked of the other side's certificate."""
    if tls.get("insecureSkipVerify"):
        return {"validation_context": {}}
    wanted: dict[str, Any] = {}
    if names:
        wanted["match_subject_alt_names"] = [{"exact": name} for name in names]
    if tls.get("caCrl") and not tls.get("credentialName"):
        wanted["crl"] = {"filename": tls["caCrl"]}
    root = (
        f"{credential(tls['credentialName'])}{SECRET_ROOT}"
        if tls.get("credentialName")
        else f"{FILE_ROOT}{tls.get('caCertificates') or SYSTEM}"
    )
    context = {"default_validation_context": wanted, "validation_context_sds_secret_config": _secret(root)}
    return {"combined_validation_context": context}


def secrets(documents: Iterable[Document]) -> frozenset[str]:
    """The names of all secrets that DestinationRules need: some of the edge's, some of everybody's."""
    found: set[str] = set()
    for document in documents:
        for tls in _blocks(document.get("spec") if document.get("kind") == "DestinationRule" else None):
            if tls.get("mode") in ORIGINATED:
                found.update(_named({**_certificate(tls), **_validation(tls, ())}))
    return frozenset(found)


def _blocks(value: object) -> Iterator[Tls]:
    """Each `tls` below a value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "tls" and isinstance(inner, Mapping):
                yield inner
            yield from _blocks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _blocks(inner)


def _named(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "sds_config" in value:
            yield value["name"]
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def paths(secret: str) -> tuple[str, ...]:
    """The files of a secret: of authorities, or of a certificate and its key; `system` for what this machine trusts."""
    if secret.startswith(FILE_ROOT):
        return (secret.removeprefix(FILE_ROOT),)
    chain, _, key = secret.removeprefix(FILE_CERTIFICATE).partition(_BETWEEN)
    return (chain, key)


def _secret(name: str) -> dict[str, Any]:
    return {"name": name, "sds_config": SOURCE}


def _with_names_of_requests(cluster: Resource, tls: Tls) -> Resource:
    """Where no name is said, the one in a request's Host is asked for, and must be the other side's."""
    if tls.get("sni"):
        return cluster
    checked = not tls.get("subjectAltNames") and not tls.get("insecureSkipVerify")
    names = {"auto_sni": True, **({"auto_san_validation": True} if checked else {})}
    extensions = cluster.get("typed_extension_protocol_options") or {}
    plain = {"@type": f"type.googleapis.com/{OPTIONS}", "explicit_http_config": {"http_protocol_options": {}}}
    options = {**(extensions.get(OPTIONS) or plain), "upstream_http_protocol_options": names}
    return {**cluster, "typed_extension_protocol_options": {**extensions, OPTIONS: options}}
