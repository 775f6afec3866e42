"""The fields of Telemetry, Sidecar and EnvoyFilter that are translated, and the words for those that are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import field_names
from localmesh.translate.field_values import Check, FieldError, boolean, integer, number, one_of, text
from localmesh.translate.fields import described, listing, mapping, meaningless, message, message_of, otherwise, refused

_BY_ENVOY = "Envoy counts with Istio's names and labels; Istio's own filter is not in it"
_WITHOUT_PROVIDER = "no traces are taken where there is no tracing provider"
_NO_TRACES = refused("there is no tracing provider here, so nothing is reported; leave it out")

TELEMETRY = message(
    selector=field_names.selector,
    targetRef=field_names.no_targets,
    targetRefs=field_names.no_targets,
    accessLogging=listing(
        message(
            match=message(mode=one_of("CLIENT_AND_SERVER", "CLIENT", "SERVER")),
            providers=listing(message(name=one_of("envoy"), required=("name",))),
            disabled=boolean,
            filter=refused("every request has its line; look for some with grep"),
        )
    ),
    tracing=listing(
        message(
            randomSamplingPercentage=meaningless(number(0, 100), _WITHOUT_PROVIDER),
            disableSpanReporting=meaningless(boolean, _WITHOUT_PROVIDER),
            match=_NO_TRACES,
            providers=_NO_TRACES,
            customTags=_NO_TRACES,
            useRequestIdForTraceSampling=_NO_TRACES,
            enableIstioTags=_NO_TRACES,
        )
    ),
    metrics=listing(
        message(
            providers=listing(message(name=otherwise(one_of("prometheus"), _BY_ENVOY), required=("name",)), at_least=1),
            overrides=refused("the labels are those that Istio has by default; leave it out"),
            reportingInterval=refused("counters are read when they are asked for; leave it out"),
            required=("providers",),
        )
    ),
)


_host_in_namespace = field_names.in_namespace(lambda namespace: namespace in (".", "*", "~"))


def _egress_host(value: object, path: str) -> None:
    text(value, path)
    if "/" not in str(value):
        raise FieldError(path, "must be NAMESPACE/HOST, with `.`, `*` or `~` for the namespace")
    _host_in_namespace(value, path)


_EVERY_PORT = refused("each way out has an address of its own; leave it out")


def _egress(spec: dict[str, Any]) -> str | None:
    if not spec.get("egress") and spec.get("outboundTrafficPolicy") is None:
        return "says nothing: it needs egress or outboundTrafficPolicy"
    return "egress without ports can be one entry only: list its hosts" if len(spec.get("egress") or []) > 1 else None


SIDECAR = message(
    workloadSelector=message(labels=field_names.selected),
    egress=listing(
        message(
            hosts=listing(_egress_host, at_least=1),
            port=_EVERY_PORT,
            bind=_EVERY_PORT,
            captureMode=_EVERY_PORT,
            required=("hosts",),
        )
    ),
    outboundTrafficPolicy=message(
        mode=one_of("REGISTRY_ONLY", "ALLOW_ANY"), egressProxy=refused("call the destination directly")
    ),
    ingress=refused("requests come in by the container's own ports"),
    inboundConnectionPool=refused("limit the callers' pools by a DestinationRule"),
    rules=(_egress,),
)

CONNECTIONS = "envoy.filters.network.http_connection_manager"
ROUTER = "envoy.filters.http.router"
RATE_LIMIT = "envoy.filters.http.local_ratelimit"
_TYPES = "type.googleapis.com/envoy.extensions.filters"
CONNECTIONS_TYPE = f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager"
RATE_LIMIT_TYPE = f"{_TYPES}.http.local_ratelimit.v3.LocalRateLimit"
TYPED_STRUCT = ("type.googleapis.com/udpa.type.v1.TypedStruct", "type.googleapis.com/xds.type.v3.TypedStruct")
_TWO_SHAPES = (
    "on the laptop mesh an EnvoyFilter adds a local rate limit (HTTP_FILTER, INSERT_BEFORE) or a local_reply_config "
    "(NETWORK_FILTER, MERGE), and nothing else"
)


def _exactly(*names: str) -> Check:
    def check(value: object, path: str) -> None:
        if value not in names:
            raise FieldError(path, f"{value!r} is not supported: {_TWO_SHAPES}")

    return check


def _anything(_value: object, _path: str) -> None:
    """Envoy checks it, and says what is wrong."""


def _match(**filters: Check) -> Check:
    one = message_of({"name": _exactly(CONNECTIONS), **filters}, required=("name",))
    chain = message(filter=one, required=("filter",))
    return message(
        context=_exactly("SIDECAR_INBOUND", "GATEWAY"),
        listener=message(portNumber=integer(1, 65535), filterChain=chain, required=("filterChain",)),
        proxy=refused("there is one version of Envoy"),
        routeConfiguration=refused(_TWO_SHAPES),
        cluster=refused(_TWO_SHAPES),
        required=("context", "listener"),
    )


def _rate_limit(value: object, path: str) -> None:
    """Envoy's LocalRateLimit, written plainly or as a TypedStruct."""
    kind = value.get("@type") if isinstance(value, Mapping) else None
    if kind in TYPED_STRUCT:
        shape = {"@type": _anything, "type_url": _exactly(RATE_LIMIT_TYPE), "value": mapping(_anything)}
        message_of(shape, required=("type_url", "value"))(value, path)
    elif kind != RATE_LIMIT_TYPE:
        raise FieldError(f"{path}.@type", f"{kind!r} is not supported: {_TWO_SHAPES}")


_REPLIES = message_of(
    {"@type": _exactly(CONNECTIONS_TYPE), "local_reply_config": mapping(_anything)},
    required=("@type", "local_reply_config"),
)
_SHAPES = {
    "HTTP_FILTER": message(
        applyTo=_anything,
        match=_match(subFilter=message(name=_exactly(ROUTER), required=("name",))),
        patch=message(
            operation=_exactly("INSERT_BEFORE"),
            value=message(name=_exactly(RATE_LIMIT), typed_config=_rate_limit, required=("name", "typed_config")),
            required=("operation", "value"),
        ),
        required=("match", "patch"),
    ),
    "NETWORK_FILTER": message(
        applyTo=_anything,
        match=_match(),
        patch=message(
            operation=_exactly("MERGE"),
            value=message(name=_exactly(CONNECTIONS), typed_config=_REPLIES, required=("typed_config",)),
            required=("operation", "value"),
        ),
        required=("match", "patch"),
    ),
}


def _patch(value: object, path: str) -> None:
    kind = value.get("applyTo") if isinstance(value, Mapping) else None
    _exactly(*_SHAPES)(kind, f"{path}.applyTo")
    _SHAPES[str(kind)](value, path)


_OTHER = refused(_TWO_SHAPES)
_PATCH_FIELDS = message(
    applyTo=_anything,
    match=message(
        context=_anything,
        listener=message(
            portNumber=_anything,
            filterChain=message(
                filter=message(name=_anything, subFilter=message(name=_anything)),
                applicationProtocols=_OTHER,
                destinationPort=_OTHER,
                name=_OTHER,
                sni=_OTHER,
                transportProtocol=_OTHER,
            ),
            listenerFilter=_OTHER,
            name=_OTHER,
            portName=_OTHER,
        ),
        proxy=refused("there is one version of Envoy"),
        cluster=_OTHER,
        routeConfiguration=_OTHER,
        waypoint=_OTHER,
    ),
    patch=message(operation=_anything, value=_anything, filterClass=_OTHER),
)
ENVOY_FILTER = message(
    workloadSelector=message(labels=field_names.selected),
    configPatches=listing(described(_PATCH_FIELDS, _patch)),
    targetRefs=field_names.no_targets,
    priority=refused("patches are made in the order of the documents' names"),
)
