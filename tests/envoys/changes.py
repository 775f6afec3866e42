"""A mesh that changes at random while requests go on: weights, rules, endpoints and certificates, each change valid."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from envoys.bench import Bench, free_port, replica, routes, rule
from envoys.http1 import Backend
from envoys.secured import policy
from localmesh import envoy
from localmesh.certificates import Certificates
from localmesh.mesh import Address, Endpoint, Mesh, Workload
from localmesh.translate import identities, translate

KINDS = ("weights", "rules", "endpoints", "certificates")
_STRICT = policy("PeerAuthentication", "{mtls: {mode: STRICT}}")
_WITHIN, _PAUSE = 60.0, 0.002
_POLL = r"sds\..*version_text$"


@dataclass
class Changing:
    """Two versions of two replicas each, behind mTLS. What is in force is what the last `change` said."""

    bench: Bench
    admin: envoy.Admin
    authority: Certificates
    replicas: Sequence[Endpoint]
    chances: random.Random
    weight: int = 50
    cohorts: int = 0
    limit: int = 1000
    present: frozenset[int] = frozenset({0, 1, 2, 3})
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    async def change(self) -> tuple[str, float]:
        """One change of a random kind; its kind, and the seconds until it was in force."""
        kind = self.chances.choice(KINDS)
        self.counts[kind] += 1
        if kind == "weights":
            self.weight = self.chances.randint(0, 100)
        elif kind == "rules":
            self.cohorts, self.limit = self.chances.randint(0, 5), self.chances.randint(100, 2000)
        elif kind == "endpoints":
            self.present = frozenset({self.chances.choice((0, 1)), self.chances.choice((2, 3)), *self._some()})
        began = time.monotonic()
        if kind == "certificates":
            await self._renewed()
        else:
            await self.apply()
        return kind, time.monotonic() - began

    async def apply(self, *more: dict[str, Any]) -> None:
        """Put what is wanted in force, with some documents more. Raises Rejected."""
        await self.bench.directory.apply(translate(self.mesh(*more)), self.admin, _WITHIN)

    def mesh(self, *more: dict[str, Any]) -> Mesh:
        """What is wanted now."""
        cohort = '{match: [{headers: {x-cohort: {exact: "%d"}}}], route: [{destination: {host: model, subset: v2}}]}'
        split = (
            f"{{route: [{{destination: {{host: model, subset: v1}}, weight: {self.weight}}},"
            f" {{destination: {{host: model, subset: v2}}, weight: {100 - self.weight}}}]}}"
        )
        rules = routes(f"[{', '.join([*(cohort % one for one in range(self.cohorts)), split])}]")
        limits = rule({"connectionPool": {"http": {"http2MaxRequests": self.limit}}})
        allowed = policy(
            "AuthorizationPolicy",
            f"{{rules: [{{from: [{{source: {{principals: [cluster.local/ns/demo/sa/web]}}}}],"
            f" to: [{{operation: {{notPaths: [/{self.cohorts}]}}}}]}}]}}",
        )
        accounts = [*(Workload(name, "demo", {"app": name}, name) for name in self.bench.callers)]
        called = [Workload(f"model-{one}", "demo", {"app": "model", "version": one}, "model") for one in ("v1", "v2")]
        endpoints = [one for index, one in enumerate(self.replicas) if index in self.present]
        found = self.bench.mesh(endpoints, rules, limits, allowed, _STRICT, *more)
        return replace(found, workloads=(*accounts, *called), mtls=True)

    def _some(self) -> list[int]:
        return [one for one in range(4) if self.chances.random() < 0.5]

    async def _renewed(self) -> None:
        """Envoy says for each secret which version it has; all but the root's are new ones."""
        before = await self.admin.texts(_POLL)
        self.authority.renew()
        deadline = time.monotonic() + _WITHIN
        while time.monotonic() < deadline:
            now = await self.admin.texts(_POLL)
            if all(now.get(name) != version for name, version in before.items() if "ROOTCA" not in name):
                return
            await asyncio.sleep(_PAUSE)
        raise TimeoutError("Envoy did not take the new certificates")


@contextlib.asynccontextmanager
async def changing(
    bench: Bench, authority: Certificates, backends: Sequence[Backend], seed: int
) -> AsyncIterator[Changing]:
    """Four backends as two replicas of v1 and two of v2; `seed` decides all changes."""
    async with bench.running([]) as admin:
        replicas = [
            replace(
                replica(backend, "v1" if index < 2 else "v2"),
                workload="model-v1" if index < 2 else "model-v2",
                inbound={"http": Address("127.0.0.1", free_port())},
                numbers={"http": 8080},
            )
            for index, backend in enumerate(backends)
        ]
        found = Changing(bench, admin, authority, replicas, random.Random(seed))
        authority.issue(identities(found.mesh()))
        await found.apply()
        yield found
