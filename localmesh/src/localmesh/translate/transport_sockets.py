"""Mutual TLS between workloads: which certificate a side shows, and what it asks of the other's.

Certificates are secrets by name: `default` is the workload's own, `ROOTCA` what both sides trust. Where they come from
is in istiod's form; the xDS writer puts a file in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from localmesh.translate.callers import TRUST_DOMAIN
from localmesh.translate.peer_authentication import DISABLE, STRICT

OWN, ROOT = "default", "ROOTCA"
TLS_MODE = {"envoy.transport_socket_match": {"tlsMode": "istio"}}
"""Metadata of an endpoint whose side takes mTLS."""

_TYPES = "type.googleapis.com/envoy.extensions.transport_sockets"
_ALPN = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"]
VERSIONS = {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"}
SOURCE = {
    "api_config_source": {
        "api_type": "GRPC",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}],
        "set_node_on_first_message_only": True,
        "transport_api_version": "V3",
    },
    "initial_fetch_timeout": "0s",
    "resource_api_version": "V3",
}
_CIPHERS = [
    *("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
    *("AES256-GCM-SHA384", "AES128-GCM-SHA256"),
]
_PLAIN = {
    "name": "envoy.transport_sockets.raw_buffer",
    "typed_config": {"@type": f"{_TYPES}.raw_buffer.v3.RawBuffer"},
}


def chains(mode: str) -> list[dict[str, Any]]:
    """What an inbound port takes under a PeerAuthentication's mode: a match and a socket a filter chain."""
    tls = {"filter_chain_match": {"transport_protocol": "tls"}, "transport_socket": _downstream()}
    plain = {"filter_chain_match": {"transport_protocol": "raw_buffer"}}
    if mode == STRICT:
        return [tls]
    if mode == DISABLE:
        return [plain]
    tls["filter_chain_match"] = {"transport_protocol": "tls", "application_protocols": _ALPN}
    return [tls, plain]


def matches(host: str, port: int, subset: str, *, http2: bool, peers: Collection[str] = ()) -> list[dict[str, Any]]:
    """Automatic mTLS: where the other side takes it; plain text where it does not."""
    tls = mutual(host, port, subset, http2=http2, peers=peers)
    return [
        {"name": "tlsMode-istio", "match": {"tlsMode": "istio"}, "transport_socket": tls},
        {"name": "tlsMode-disabled", "match": {}, "transport_socket": _PLAIN},
    ]


def mutual(
    host: str, port: int, subset: str, *, http2: bool, peers: Collection[str] = (), sni: str = ""
) -> dict[str, Any]:
    """A service's mTLS. `peers`: the identities its replicas may have, any of the mesh's when empty."""
    names = {"match_subject_alt_names": [{"exact": peer} for peer in sorted(peers)]} if peers else {}
    context = {
        "@type": f"{_TYPES}.tls.v3.UpstreamTlsContext",
        "common_tls_context": _context(["istio", "h2"] if http2 else ["istio"], names, VERSIONS),
        "sni": sni or f"outbound_.{port}_.{subset}_.{host}",
    }
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def server(tls: Mapping[str, Any]) -> dict[str, Any]:
    """A Gateway server's TLS, with the certificate of a Secret."""
    parameters: dict[str, Any] = {}
    for ours, theirs in (("minProtocolVersion", "minimum"), ("maxProtocolVersion", "maximum")):
        if (version := tls.get(ours) or "TLS_AUTO") != "TLS_AUTO":
            parameters[f"tls_{theirs}_protocol_version"] = version.replace("TLSV", "TLSv")
    if tls.get("cipherSuites"):
        parameters["cipher_suites"] = list(dict.fromkeys(tls["cipherSuites"]))
    common = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [{"name": credential(tls["credentialName"]), "sds_config": SOURCE}],
        **({"tls_params": parameters} if parameters else {}),
    }
    context = {
        "@type": f"{_TYPES}.tls.v3.DownstreamTlsContext",
        "common_tls_context": common,
        "require_client_certificate": False,
    }
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def credential(name: str) -> str:
    """How a Secret is named among Envoy's."""
    return f"kubernetes://{name}"


def _downstream() -> dict[str, Any]:
    names = {"match_subject_alt_names": [{"prefix": f"spiffe://{TRUST_DOMAIN}/"}]}
    parameters = {**VERSIONS, "cipher_suites": _CIPHERS}
    context = {
        "@type": f"{_TYPES}.tls.v3.DownstreamTlsContext",
        "common_tls_context": _context(["h2", "http/1.1"], names, parameters),
        "require_client_certificate": True,
    }
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _context(alpn: Sequence[str], names: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "alpn_protocols": list(alpn),
        "combined_validation_context": {
            "default_validation_context": names,
            "validation_context_sds_secret_config": {"name": ROOT, "sds_config": SOURCE},
        },
        "tls_certificate_sds_secret_configs": [{"name": OWN, "sds_config": SOURCE}],
        "tls_params": parameters,
    }


def with_certificate(resource: Any, name: str) -> Any:  # noqa: ANN401 (JSON)
    """The same, with the certificate of that name in the place of `default`."""
    if isinstance(resource, dict):
        if "sds_config" in resource and resource["name"] == OWN:
            return {**resource, "name": name}
        return {key: with_certificate(value, name) for key, value in resource.items()}
    return [with_certificate(value, name) for value in resource] if isinstance(resource, list) else resource
