"""The fields of a Gateway that are translated, and the words for those that are not."""

from __future__ import annotations

from typing import Any

from localmesh.translate.fields import integer, listing, mapping, message, one_of, refused, text


def _port_names(spec: dict[str, Any]) -> str | None:
    names = [server["port"]["name"] for server in spec["servers"]]
    twice = {name for name in names if names.count(name) > 1}
    return f"two servers' ports have the name {min(twice)}" if twice else None


GATEWAY = message(
    servers=listing(
        message(
            port=message(
                number=integer(1, 65535),
                protocol=one_of("HTTP", "HTTP2", "GRPC", "GRPC-WEB"),
                name=text,
                targetPort=refused("Istio ignores it as well; leave it out"),
                required=("number", "protocol", "name"),
            ),
            hosts=listing(text, at_least=1),
            name=text,
            bind=refused("the laptop's listeners are on 127.0.0.1; leave it out"),
            tls=refused("the laptop's edge speaks plain HTTP; use a server of protocol HTTP without tls"),
            defaultEndpoint=refused("route to it by a VirtualService"),
            required=("port", "hosts"),
        ),
        at_least=1,
    ),
    selector=mapping(text),
    required=("servers",),
    rules=(_port_names,),
)
