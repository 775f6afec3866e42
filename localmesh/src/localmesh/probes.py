"""Asking a replica, as a kubelet does: startup, liveness and readiness."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from localmesh.manifests.model import Container, Probe
from localmesh.mesh import Address

_FAST_SECONDS = 0.05
"""How often a replica that starts is asked: nobody should wait for a period to pass."""
_EAGER_SECONDS = 10.0
_SLOWER_SECONDS = 0.25


class Unhealthy(Exception):
    """A replica is to be restarted: its startup or liveness probe failed as often as the manifest allows."""


async def ask(probe: Probe, address: Address) -> bool:
    """One probe. HTTP: whether the status is 200 to 399; else whether it can be connected to."""
    writer = None
    try:
        async with asyncio.timeout(probe.timeout):
            reader, writer = await asyncio.open_connection(address.ip, address.port)
            if probe.path is None:
                return True
            lines = [f"GET {probe.path} HTTP/1.1", f"host: {address}", "user-agent: kube-probe/localmesh"]
            lines += [f"{name}: {value}" for name, value in probe.headers]
            writer.write("\r\n".join((*lines, "connection: close", "", "")).encode())
            status = (await reader.readline()).split(b" ", 2)
            return len(status) > 1 and status[1].isdigit() and 200 <= int(status[1]) < 400
    except (OSError, TimeoutError, ValueError):
        return False
    finally:
        if writer is not None:
            writer.close()


class Prober:
    """Watches one replica from its start to its end."""

    def __init__(self, container: Container, ports: Mapping[str, Address], on_ready: Callable[[bool], None]) -> None:
        """`ports` by name and by number; `on_ready` is called at each change of readiness."""
        self._container = container
        self._ports = ports
        self._on_ready = on_ready

    async def run(self) -> None:
        """Probe until cancelled. Raises Unhealthy."""
        await self._started()
        loops = [self._readiness()]
        if self._container.liveness:
            loops.append(self._liveness(self._container.liveness))
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError, Unhealthy):
                await asyncio.gather(*tasks)

    async def _ask(self, probe: Probe) -> bool:
        return await ask(probe, self._ports[probe.port])

    async def _first(self, probe: Probe, within: float | None) -> bool:
        """Ask fast until it succeeds; False when `within` seconds have passed."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while not await self._ask(probe):
            passed = loop.time() - start
            if within is not None and passed > within:
                return False
            await asyncio.sleep(_FAST_SECONDS if passed < _EAGER_SECONDS else _SLOWER_SECONDS)
        return True

    async def _started(self) -> None:
        probe = self._container.startup
        if probe and not await self._first(probe, probe.initial_delay + probe.period * probe.failure_threshold):
            raise Unhealthy("its startup probe never succeeded")

    async def _readiness(self) -> None:
        probe = self._container.readiness
        if probe is None:
            self._on_ready(True)
            # Nothing is asked; a replica whose probing ends is replaced.
            await asyncio.Event().wait()
            return
        await self._first(probe, None)
        self._on_ready(True)
        ready, other = True, 0
        while True:
            await asyncio.sleep(probe.period)
            # `other` counts answers in a row that speak against the present state.
            other = other + 1 if await self._ask(probe) != ready else 0
            if other >= (probe.failure_threshold if ready else probe.success_threshold):
                ready, other = not ready, 0
                self._on_ready(ready)

    async def _liveness(self, probe: Probe) -> None:
        await asyncio.sleep(probe.initial_delay)
        failures = 0
        while failures < probe.failure_threshold:
            await asyncio.sleep(probe.period)
            failures = 0 if await self._ask(probe) else failures + 1
        raise Unhealthy("its liveness probe failed")
