"""Log lines as an operator reads them."""

import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from runtime import logging as ours, propagation
from runtime.settings import ServerSettings
ours.configure("shop", ServerSettings(version="v7", replica="shop-0"))
propagation.enter(propagation.arriving({"x-request-id": "find-me"}.get))
structlog.get_logger().info("request", status=200)
structlog.get_logger().debug("hidden")
logging.getLogger("somewhere").warning("from a library")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("broken")
"""


def test_every_line_is_json_with_the_ids_to_find_it_by():
    """Our lines, a library's lines and tracebacks are one object a line, with service, request and trace."""
    out = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["request", "from a library", "broken"]
    for line in lines:
        assert (line["request_id"], line["service"], line["version"], line["replica"]) == (
            "find-me",
            "shop",
            "v7",
            "shop-0",
        )
        assert len(line["trace_id"]) == 32
    assert "ZeroDivisionError" in lines[2]["exception"]


SWITCHED = """
import structlog
from runtime import logging as ours, propagation
from runtime.settings import ServerSettings
settings = ServerSettings(version="v7", replica="shop-0")
ours.configure("shop", settings)
log, requests, call = structlog.get_logger(), ours.RequestLog("shop", settings), propagation.current()
for level in ("info", "error", "debug", "warning", "info"):
    ours.set_level(level)
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(f"{level} {name}")
    requests.write(call, f"{level} request", 200, 0.1)
requests.flush()
"""


def test_the_level_switches_while_it_runs():
    """All loggers follow at once, the requests' line too: it is an `info`."""
    out = subprocess.run([sys.executable, "-c", SWITCHED], capture_output=True, check=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    told = {line.get("route", line["event"]) for line in lines}
    order = ["debug", "info", "warning", "error"]
    for level in order:
        assert {name for name in order if f"{level} {name}" in told} == set(order[order.index(level) :])
        assert (f"{level} request" in told) == (level in ("debug", "info"))
