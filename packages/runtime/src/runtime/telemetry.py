"""Request metrics for Prometheus, and spans for OpenTelemetry where a collector is named.

Rate, errors and duration are counted by route template (HTTP) or method (gRPC), never by path, so that the number of
series is bounded. Spans are made only when OTEL_EXPORTER_OTLP_ENDPOINT is set; they are exported by a thread of their
own from a bounded queue, so a collector that cannot be reached delays nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from runtime.live import Reloads
from runtime.propagation import Call
from runtime.settings import ServerSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_FAILED = frozenset({"INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED"})


@dataclass
class _Series:
    """The counter and the histogram of one (route, outcome), resolved once: label look-ups cost more than counting."""

    count: Counter
    seconds: Histogram


@dataclass
class Telemetry:
    """One process's metrics and its tracer, if any. Services register their own metrics on `registry`."""

    service: str
    registry: CollectorRegistry
    reloads: Reloads
    _count: Counter
    _seconds: Histogram
    _tracing: Tracing | None = None
    _series: dict[tuple[str, str, str], _Series] = field(default_factory=dict)

    @classmethod
    def create(cls, service: str, settings: ServerSettings, environ: Mapping[str, str]) -> Telemetry:
        """Metrics always; a tracer when `environ` names a collector in OTEL_EXPORTER_OTLP_ENDPOINT."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        replica = Gauge("inkmesh_replica_info", "Always 1: this replica's name", ["replica"], registry=registry)
        replica.labels(settings.replica).set(1)
        return cls(
            service,
            registry,
            Reloads(registry),
            Counter(
                "inkmesh_requests",
                "Requests served, by protocol, route template or method, and status",
                ["protocol", "route", "status"],
                registry=registry,
            ),
            Histogram(
                "inkmesh_request_duration_seconds",
                "Time to serve a request",
                ["protocol", "route"],
                buckets=_SECONDS,
                registry=registry,
            ),
            Tracing.start(service, settings) if environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") else None,
        )

    def served(self, call: Call, protocol: str, route: str, status: str, seconds: float) -> None:
        """Count one finished request; export its span when tracing is on."""
        series = self._series.get((protocol, route, status))
        if series is None:
            series = _Series(self._count.labels(protocol, route, status), self._seconds.labels(protocol, route))
            self._series[protocol, route, status] = series
        series.count.inc()
        series.seconds.observe(seconds)
        if self._tracing is not None:
            self._tracing.export(call, route, status, seconds)

    def router(self) -> APIRouter:
        """GET /metrics in Prometheus' text format."""
        router = APIRouter(tags=["metrics"])

        @router.get("/metrics", summary="Prometheus metrics")
        async def metrics() -> Response:
            return Response(generate_latest(self.registry), media_type="text/plain; version=0.0.4; charset=utf-8")

        return router

    def close(self) -> None:
        """Send what spans are left, for a second at most."""
        if self._tracing is not None:
            self._tracing.close()


@dataclass
class Tracing:
    """OpenTelemetry's exporter, fed with finished requests: ids come from the Call, so headers and spans agree."""

    _processor: BatchSpanProcessor
    _resource: Resource

    @classmethod
    def start(cls, service: str, settings: ServerSettings) -> Tracing:
        """Import and start the exporter; it reads its endpoint and headers from OpenTelemetry's own variables."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create(
            {
                "service.name": service,
                "service.version": settings.version,
                "service.instance.id": settings.replica,
            }
        )
        return cls(BatchSpanProcessor(OTLPSpanExporter(timeout=1), max_queue_size=2048), resource)

    def export(self, call: Call, route: str, status: str, seconds: float) -> None:
        """Queue the span of one finished request, when its trace is sampled."""
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
        from opentelemetry.trace.status import Status, StatusCode

        flags = TraceFlags(int(call.trace_flags, 16))
        if not flags.sampled:
            return
        trace_id = int(call.trace_id, 16)
        parent = SpanContext(trace_id, int(call.parent_span_id, 16), is_remote=True) if call.parent_span_id else None
        failed = status.startswith("5") or status in _FAILED
        end = time.time_ns()
        self._processor.on_end(
            ReadableSpan(
                name=route,
                context=SpanContext(trace_id, int(call.span_id, 16), is_remote=False, trace_flags=flags),
                parent=parent,
                resource=self._resource,
                attributes={"inkmesh.status": status, "inkmesh.request_id": call.request_id},
                kind=SpanKind.SERVER,
                status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
                start_time=end - int(seconds * 1e9),
                end_time=end,
            )
        )

    def close(self) -> None:
        """Send what is queued; the export's own deadline (a second) bounds the wait."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]
