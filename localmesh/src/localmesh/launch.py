"""From a Deployment and a replica's addresses to the command that runs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from localmesh.addresses import Addresses
from localmesh.environment import (
    container_variables,
    expand,
    local_variables,
    machine_variables,
    service_variables,
)
from localmesh.manifests.model import Deployment, KeyRef
from localmesh.mesh import Address, Service, ServicePort
from localmesh.process import Command
from localmesh.reach import reached
from localmesh.state import StateFolder
from localmesh.volumes import Config, renew_volumes, write_volumes

Way = tuple[Service, Mapping[int, Address]]
"""A service, and for each of its ports that is called where Envoy listens for the caller."""


class Outbound:
    """Where each caller reaches each service: an IP a pair, the service's own ports when they are free there."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._callers: dict[str, int] = {}
        self._services: dict[str, int] = {}
        self._found: dict[tuple[str, str, int], Address] = {}

    def of(self, deployment: Deployment, services: Iterable[Service]) -> list[Way]:
        """Each service that the workload calls, and port → where Envoy listens for it; the same at every call."""
        return [self._way(deployment.name, service, ports) for service, ports in reached(deployment, services)]

    def _way(self, workload: str, service: Service, ports: list[ServicePort]) -> Way:
        caller = self._callers.setdefault(workload, len(self._callers))
        ip = self._addresses.outbound(caller, self._services.setdefault(service.host, len(self._services)))
        found = {}
        for port in ports:
            key = (workload, service.host, port.number)
            if key not in self._found:
                self._found[key] = self._addresses.address(ip, port.number)
            found[port.number] = self._found[key]
        return service, found


class Launcher:
    """Makes commands for replicas of one copy. `services` and `config` follow the manifests in force."""

    def __init__(self, root: Path, state: StateFolder, outbound: Outbound) -> None:
        self._root = root
        self._state = state
        self._outbound = outbound
        self.services: tuple[Service, ...] = ()
        self.config = Config(state, {})

    def command(self, deployment: Deployment, replica: str, ip: str, ports: Mapping[str, Address]) -> Command:
        """What to run for one replica; its volumes are written."""
        volumes = write_volumes(self._state, self.config, deployment, replica)
        by_name = {port.name: ports[port.name] for port in deployment.container.ports}
        known = local_variables(self._state.path, by_name, volumes)
        known |= service_variables(self._outbound.of(deployment, self.services))
        own = container_variables(
            deployment, replica, ip, known, lambda kind, name: self.config.find(deployment.namespace, kind, name)
        )
        env = {**machine_variables(), **known, **own}
        words = (*deployment.container.command, *deployment.container.args)
        return Command(
            argv=tuple(expand(word, {**known, **own}) for word in words),
            env=env,
            cwd=self._root,
            log=self.log(replica),
        )

    def renew_volumes(self, deployment: Deployment) -> None:
        """Write what its ConfigMaps and Secrets say now; replicas that run see it in their volumes, as in a pod."""
        renew_volumes(self._state, self.config, deployment)

    def log(self, replica: str) -> Path:
        """Where that replica logs."""
        return self._state.log(replica)

    def inputs(self, deployment: Deployment) -> object:
        """Everything that makes a replica of `deployment` what it is: when it differs, replicas are replaced.

        What is in its volumes is not among it: they are renewed under a process that goes on, as in a cluster.
        """
        container = deployment.container
        kinds = {(source.kind, source.name) for source in container.env_from}
        kinds |= {(v.value.kind, v.value.name) for v in container.env if isinstance(v.value, KeyRef)}
        values = [(key, self.config.find(deployment.namespace, *key)) for key in sorted(kinds)]
        return (container, deployment.labels, deployment.annotations, deployment.volumes, values, self.services)
