"""httpsRedirect: who asks for the plain port is sent to the one with TLS.

istiod's `require_tls` keeps the port that the caller named, which is right where that is none: on a cluster the two are
80 and 443. A laptop's are others, so there the redirect names the port.
"""

from __future__ import annotations

from collections.abc import Iterable

from localmesh.translate.resources import Resource


def to_port(hosts: Iterable[Resource], port: int | None) -> list[Resource]:
    """A plain port's virtual hosts, those that require TLS with a redirect to `port`; None: nobody listens there."""
    return [_redirecting(host, port) if port is not None and "require_tls" in host else host for host in hosts]


def _redirecting(host: Resource, port: int) -> Resource:
    kept = {key: value for key, value in host.items() if key not in ("require_tls", "routes")}
    redirect = {"https_redirect": True, "port_redirect": port}
    return {**kept, "routes": [{"name": "https", "match": {"prefix": "/"}, "redirect": redirect}]}
