"""The fields of a Gateway that are translated, and the words for those that are not."""

from __future__ import annotations

from typing import Any

from localmesh.translate import field_names
from localmesh.translate.field_values import FieldError, boolean, integer, label, one_of, some_text, text
from localmesh.translate.fields import listing, mapping, message, refused


def _port_names(spec: dict[str, Any]) -> str | None:
    names = [server["port"]["name"] for server in spec["servers"]]
    twice = {name for name in names if names.count(name) > 1}
    return f"two servers' ports have the name {min(twice)}" if twice else None


_VERSION = one_of("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")
_CIPHER = one_of(
    *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    *("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"),
    *("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA"),
    *("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA"),
)
"""Those of BoringSSL; Istio leaves others out."""
_NO_FILES = refused("give credentialName, the name of a Secret with tls.crt and tls.key")


_host_in_namespace = field_names.in_namespace(lambda namespace: namespace in (".", "*"))


def _host(value: object, path: str) -> None:
    text(value, path)
    _host_in_namespace(value if "/" in str(value) else f"*/{value}", path)


def _tls_mode(value: object, path: str) -> None:
    if value != "SIMPLE":
        raise FieldError(path, f"{value!r} is not supported; the laptop's edge has mode: SIMPLE alone")


def _protocol(value: object, path: str) -> None:
    if value in ("TCP", "TLS", "MONGO"):
        raise FieldError(path, f"{value}: the laptop's edge speaks HTTP alone; use HTTP, or HTTPS with mode: SIMPLE")
    one_of("HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB")(value, path)


def _tls_with_https(server: dict[str, Any]) -> str | None:
    https, tls = server["port"]["protocol"] == "HTTPS", server.get("tls") or {}
    if https and not (tls.get("mode") and tls.get("credentialName")):
        return "a server of protocol HTTPS needs tls with mode: SIMPLE and credentialName"
    if not https and any(value for name, value in tls.items() if name != "httpsRedirect"):
        return "without protocol HTTPS, tls can say httpsRedirect alone"
    return None


GATEWAY = message(
    servers=listing(
        message(
            port=message(
                number=integer(1, 65535),
                protocol=_protocol,
                name=some_text,
                targetPort=refused("Istio ignores it as well; leave it out"),
                required=("number", "protocol", "name"),
            ),
            hosts=listing(_host, at_least=1),
            name=text,
            bind=refused("the laptop's listeners are on 127.0.0.1; leave it out"),
            tls=message(
                mode=_tls_mode,
                credentialName=label,
                minProtocolVersion=_VERSION,
                maxProtocolVersion=_VERSION,
                cipherSuites=listing(_CIPHER),
                httpsRedirect=boolean,
                serverCertificate=_NO_FILES,
                privateKey=_NO_FILES,
                caCertificates=_NO_FILES,
                caCrl=_NO_FILES,
                caCertCredentialName=_NO_FILES,
                credentialNames=_NO_FILES,
                tlsCertificates=_NO_FILES,
                subjectAltNames=refused("the laptop's edge asks for no certificates of callers"),
                verifyCertificateSpki=refused("the laptop's edge asks for no certificates of callers"),
                verifyCertificateHash=refused("the laptop's edge asks for no certificates of callers"),
            ),
            defaultEndpoint=refused("route to it by a VirtualService"),
            required=("port", "hosts"),
            rules=(_tls_with_https,),
        ),
        at_least=1,
    ),
    selector=mapping(text),
    required=("servers",),
    rules=(_port_names,),
)
