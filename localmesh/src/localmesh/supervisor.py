"""One running copy: the plan in force, its workloads and its Envoy, from `start` to `stop`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from localmesh.addresses import LOOPBACK, Addresses
from localmesh.autoscaling.controller import SYNC_SECONDS, Autoscaling
from localmesh.copies import Copy
from localmesh.dataplane import Dataplane
from localmesh.errors import LocalmeshError
from localmesh.launch import Launcher, Outbound
from localmesh.manifests import Manifests
from localmesh.manifests.model import Deployment
from localmesh.mesh import Address
from localmesh.metrics_page import METRICS_PORT
from localmesh.orphans import Records
from localmesh.plan import Plan
from localmesh.preparing import Preparations
from localmesh.registry import called, mesh_of, with_tls
from localmesh.replica import Host
from localmesh.security import Security, stands_before_replicas
from localmesh.translate import Resources, Unsupported, translate
from localmesh.volumes import Config
from localmesh.workload import Workload

_ADMIN_PORT = 9901
KEYS_SECONDS = 10.0
"""How long `up` waits for the keys of tokens' issuers; they are asked for after that as well."""


class Supervisor:
    """Owns everything that runs. Verbs and edits change the plan one at a time."""

    def __init__(
        self,
        copy: Copy,
        addresses: Addresses,
        preparations: Preparations,
        say: Callable[[str], None],
        autoscaling_period: float = SYNC_SECONDS,
    ) -> None:
        """`autoscaling_period`: seconds between two looks at each HorizontalPodAutoscaler."""
        state = copy.state
        self.catalog = copy.catalog
        self.overlay = copy.overlay
        self.ingress = Address(LOOPBACK, copy.port)
        self.ingress_tls = with_tls(self.ingress)
        self.workloads: dict[str, Workload] = {}
        self.state = state
        self._log_file = str(state.log("access"))
        self._access_log = self._log_file if copy.access_log else ""
        self._preparations = preparations
        self._say = say
        self._outbound = Outbound(addresses)
        self._launcher = Launcher(copy.root, state, self._outbound)
        self._records = Records(state)
        self._wanted: dict[str, tuple[Deployment, object]] = {}
        self._plan: Plan | None = None
        self._changes = asyncio.Lock()
        self._based = False
        self._keys_waited_for = False
        self._stopping = False
        admin, metrics = (addresses.address(addresses.own(), port) for port in (_ADMIN_PORT, METRICS_PORT))
        self.dataplane = Dataplane(state, admin, metrics, self._records, say)
        self.autoscaling = Autoscaling(
            lambda: self.plan.manifests.autoscalers, self.workloads, say, autoscaling_period, copy.product.pod_metrics
        )
        self.security = Security(state, self.ingress, self._refresh, say)
        self._host = Host(
            self._launcher,
            addresses,
            self._records,
            self._publish,
            say,
            self.dataplane.settled,
            preparations.wait_for,
            lambda: self.fronted,
        )

    @property
    def plan(self) -> Plan:
        """What is in force."""
        if self._plan is None:
            raise RuntimeError("nothing was started")
        return self._plan

    @property
    def ready(self) -> bool:
        """Whether Envoy serves, and every wanted replica."""
        running = self._based and self.dataplane.up and all(workload.ready for workload in self.workloads.values())
        return running and self._keys_waited_for

    @property
    def fronted(self) -> bool:
        """Whether Envoy stands before each replica."""
        return stands_before_replicas(self.plan.manifests.mesh)

    async def start(self, scenario: str | None) -> None:
        """Start Envoy and every workload at the same time; `wait_…` say when they serve. Raises LocalmeshError."""
        plan = self.catalog.plan(scenario)
        config = self._config(plan.manifests)
        resources = self._translate(plan.manifests)
        self._plan = plan
        self._launcher.services, self._launcher.config = called(plan.manifests), config
        self.security.follow(plan.manifests.mesh)
        self._preparations.start(self._records)
        await self.dataplane.start(resources)
        for deployment in plan.manifests.deployments:
            self._add(deployment).start()

    async def wait_base(self) -> None:
        """Return when Envoy serves and all preparations are done. Raises LocalmeshError."""
        await asyncio.gather(self.dataplane.wait_ready(), self._preparations.finished())
        self._based = True

    async def wait_workloads(self, seconds: float) -> None:
        """Return when all replicas are ready. Raises LocalmeshError that names one that is not."""
        try:
            await asyncio.gather(*(workload.wait_ready(seconds) for workload in self.workloads.values()))
            await self.security.wait_keys(KEYS_SECONDS)
        finally:
            self._keys_waited_for = True

    async def change(self, scenario: str | None) -> Plan:
        """Render everything anew, with this scenario, and put it in force; on an error nothing changes."""
        async with self._changes:
            plan = await asyncio.to_thread(self.catalog.plan, scenario)
            config = self._config(plan.manifests)
            self._translate(plan.manifests)
            before = self.plan
            self._plan = plan
            try:
                await self.dataplane.apply(lambda: self._translate(self.plan.manifests))
            except LocalmeshError:
                self._plan = before
                raise
            self._launcher.services, self._launcher.config = called(plan.manifests), config
            self.security.follow(plan.manifests.mesh)
            changes = self._follow(plan.manifests)
        # Not under the lock: a rollout that takes its time must not keep the next change waiting.
        await asyncio.gather(*changes)
        return plan

    async def stop(self) -> None:
        """Drain and stop the workloads, then Envoy. Nothing is left when this returns."""
        self._stopping = True
        await self._preparations.stop()
        await self.security.stop()
        await asyncio.gather(*(workload.stop() for workload in self.workloads.values()))
        await self.dataplane.stop()

    def kill(self) -> None:
        """End every process at once, however busy it is; `stop` is under way."""
        for workload in self.workloads.values():
            for replica in workload.all_replicas:
                replica.kill()

    def find(self, name: str) -> Workload:
        """A workload by its name. Raises LocalmeshError that lists the names."""
        found = self.workloads.get(name)
        if found is None:
            raise LocalmeshError(f"there is no workload `{name}`", f"There is: {', '.join(sorted(self.workloads))}.")
        return found

    def _follow(self, manifests: Manifests) -> list[Coroutine[Any, Any, None]]:
        """What starts, replaces, scales and stops workloads until they are as the manifests say."""
        wanted = {deployment.name: deployment for deployment in manifests.deployments}
        changes: list[Coroutine[Any, Any, None]] = []
        for name, deployment in wanted.items():
            self._launcher.renew_volumes(deployment)
            workload = self.workloads.get(name)
            if workload is None:
                workload = self._add(deployment)
                workload.start()
                changes.append(workload.wait_ready())
                continue
            before, self._wanted[name] = self._wanted[name], (deployment, self._launcher.inputs(deployment))
            if self._wanted[name] != before:
                changes.append(workload.update(deployment, replace=self._wanted[name][1] != before[1]))
        return changes + [self.workloads.pop(name).stop() for name in self.workloads.keys() - wanted.keys()]

    def _add(self, deployment: Deployment) -> Workload:
        workload = self.workloads[deployment.name] = Workload(self._host, deployment)
        self._wanted[deployment.name] = (deployment, self._launcher.inputs(deployment))
        return workload

    def _config(self, manifests: Manifests) -> Config:
        config = Config(self.state, manifests.config)
        config.check(manifests.deployments)
        return config

    def _translate(self, manifests: Manifests) -> Resources:
        try:
            mesh = mesh_of(manifests, self.workloads.values(), self._outbound, self.ingress, self.ingress_tls)
            mesh = replace(mesh, access_log=self._access_log, log_file=self._log_file)
            return translate(self.security.complete(mesh, Config(self.state, manifests.config)))
        except Unsupported as error:
            raise LocalmeshError(str(error), "Change that field; nothing that changes behaviour is ignored.") from None

    async def _refresh(self) -> bool:
        """The same documents mean something else, for a key has changed; whether that is in force."""
        try:
            await self.dataplane.apply(lambda: self._translate(self.plan.manifests))
        except LocalmeshError as error:
            self._say(f"new keys of tokens are not in force: {error.what}")
            return False
        return True

    def _publish(self) -> None:
        """A replica became ready or is not any more."""
        if not self._stopping:
            self.dataplane.publish(self._translate(self.plan.manifests))
