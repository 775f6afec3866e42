"""What a call carries from hop to hop."""

from runtime.propagation import Hop, arriving, parse_path


def test_a_trace_goes_on_under_a_new_span():
    """The trace id stays, the span id is this hop's own, and the sampling decision is kept."""
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    call = arriving({"traceparent": parent, "tracestate": "a=b", "x-request-id": "abc-1"}.get)
    out = dict(call.outgoing())
    version, trace, span, flags = out["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "00")
    assert span != "00f067aa0ba902b7"
    assert out["tracestate"] == "a=b"
    assert out["x-request-id"] == "abc-1"


def test_malformed_ids_are_replaced_and_never_carried_on():
    """Header values that could forge a log line or a header are dropped."""
    call = arriving(
        {
            "traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
            "tracestate": "x=y",
            "x-request-id": "a\nb",
            "x-cohort": "beta; drop",
            "x-envoy-attempt-count": "-2",
        }.get
    )
    out = dict(call.outgoing())
    assert "a" not in call.request_id[:1] or len(call.request_id) == 32
    assert "tracestate" not in out
    assert "x-cohort" not in out
    assert call.trace_id != "0" * 32
    assert call.attempt == 1


def test_the_cohort_goes_on_by_header_and_by_cookie_and_no_other_cookie_does():
    """A/B routing further in sees the visitor's cohort; a session cookie stays at the edge."""
    out = dict(arriving({"x-cohort": "beta", "cookie": "sid=secret; cohort=beta; z=1"}.get).outgoing())
    assert out["x-cohort"] == "beta"
    assert out["cookie"] == "cohort=beta"


def test_a_path_is_read_back_as_it_was_written():
    """Provenance survives its header form."""
    hops = [Hop("gateway", "v1", "gateway-0", 1), Hop("inference", "v2", "inference-v2-0", 3)]
    assert parse_path(", ".join(map(str, hops))) == hops
    assert parse_path("nonsense, gateway;version=1") == []
