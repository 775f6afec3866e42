"""What is loaded: where it is, what it says of itself each second, and whether its ledger is sound."""

from __future__ import annotations

from typing import Any, Protocol


class Target(Protocol):
    """The laptop's running copy (laptop.py), or a cluster (cluster.py)."""

    @property
    def host(self) -> str:
        """The ingress, as a URL."""

    async def sample(self) -> dict[str, Any] | None:
        """One second's line, None when it does not answer.

        `t` (Unix seconds), `scenario`, `workloads` (name → desired, ready, restarts), `served` (replica → workload,
        count), `autoscalers` (one a metric: workload, metric, current, target, unit, min, max), `envoy` (ejected,
        ejections, retries, refused, restarts), `cpu` (process → cores), `drift` (workload → PSI of what it reads; where
        it is measured).
        """

    async def close(self) -> None:
        """Close connections."""

    def audit(self) -> dict[str, Any]:
        """`code` and `said` of `payment audit`; `code` is None when it could not be asked."""


def verdict(code: int, text: str) -> dict[str, Any]:
    """An audit's exit code and the last line of what it printed."""
    lines = text.strip().splitlines()
    return {"code": code, "said": lines[-1] if lines else ""}
