"""Custom metrics on a laptop: what a replica's own counter grew by, a second."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from localmesh.autoscaling.own_metrics import OwnMetrics
from localmesh.mesh import Address

COUNTERS = {"in_flight": "web_seconds_sum"}
TEXT = """\
# HELP web_seconds_sum Not a sample
web_seconds_sum{{route="/a",code="200"}} {a}
web_seconds_sum{{route="/b"}} 1e-1
web_seconds_sum_other 50
"""


@pytest.fixture
def replica():
    """Serves a counter that the test sets."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = TEXT.format(a=found.count).encode()
            self.send_response(200 if self.path == "/metrics" and found.well else 503)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        ports = {"http": Address("127.0.0.1", server.server_port)}
        found = SimpleNamespace(
            name="web-0", process=SimpleNamespace(pid=7), ports=ports, ready=True, count=1.0, well=True
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def test_growth_a_second_in_thousandths(replica):
    """Of all labels together; nothing is known at the first look, nor of a process that is new."""
    meter = OwnMetrics(COUNTERS)

    def look(now):
        return asyncio.run(meter.look([replica], ["in_flight", "unheard_of"], now))

    assert look(100.0) == {}
    replica.count = 7.0
    assert look(104.0) == {"web-0": {"in_flight": 1500}}
    replica.well = False
    assert look(108.0) == {}
    replica.well = True
    assert look(112.0) == {}
    replica.count, replica.process.pid = 8.0, 8
    assert look(116.0) == {}
    replica.count = 10.0
    assert look(120.0) == {"web-0": {"in_flight": 500}}


def test_nobody_is_asked_for_nothing(replica):
    """Without a metric of its own no replica is called."""
    replica.ports["http"] = Address("127.0.0.1", 1)
    assert asyncio.run(OwnMetrics(COUNTERS).look([replica], [], 1.0)) == {}
