"""What the edge and the workloads' listeners have in common, and what only the edge does."""

from localmesh.mesh import Address
from localmesh.translate import listeners
from localmesh.translate.listeners import outbound

HERE = Address("127.0.0.1", 1234)


def edge(name, address, routes, log):
    return listeners.edge(name, address, listeners.edge_settings(name, routes, log, ()))


def connections(listener):
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def test_the_edge_limits_how_slowly_a_request_may_come():
    """Headers within ten seconds and the rest within thirty: slow senders are cut off there, and only there."""
    settings = connections(edge("e", HERE, "r", ""))
    assert (settings["request_headers_timeout"], settings["request_timeout"]) == ("10s", "30s")
    assert not {"request_headers_timeout", "request_timeout"} & connections(outbound("o", HERE, "r", "")).keys()


def test_the_edge_trusts_nobody_and_workloads_are_trusted():
    """The edge takes the peer's address for the caller's; a workload's listener leaves what is said as it is."""
    assert connections(edge("e", HERE, "r", ""))["use_remote_address"] is True
    assert connections(outbound("o", HERE, "r", ""))["use_remote_address"] is False


def test_filters_come_in_istios_order():
    """Statistics first, then faults, then CORS, the router last."""
    names = [
        one["name"].removeprefix("envoy.filters.http.")
        for one in connections(outbound("o", HERE, "r", ""))["http_filters"]
    ]
    assert names == ["grpc_stats", "fault", "cors", "router"]


def test_the_access_log_is_istios_line_in_the_given_file():
    """With a path each request is a line in Istio's default format; without one nothing is written."""
    (log,) = connections(edge("e", HERE, "r", "/state/access.log"))["access_log"]
    line = log["typed_config"]["log_format"]["text_format_source"]["inline_string"]
    assert log["typed_config"]["path"] == "/state/access.log"
    assert line.startswith('[%START_TIME%] "%REQ(:METHOD)% ')
    assert line.endswith("%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n")
    assert connections(edge("e", HERE, "r", ""))["access_log"] == []


def test_a_listener_never_shares_its_port():
    """Two Envoys on one port would each get some of the requests."""
    assert edge("e", HERE, "r", "")["enable_reuse_port"] is False
    assert outbound("o", HERE, "r", "")["enable_reuse_port"] is False
