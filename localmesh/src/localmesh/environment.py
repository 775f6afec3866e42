"""A replica's environment, as a kubelet makes it: envFrom, env with `$(NAME)`, the downward API, service variables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from localmesh.manifests.model import Deployment, FieldRef, KeyRef
from localmesh.mesh import Address, Service

_REFERENCE = re.compile(r"\$\$|\$\(([^()\s]+)\)")
_INHERITED = re.compile(
    r"HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)|OTEL_\w+"
    r"|PYTHON(WARNINGS|DONTWRITEBYTECODE|PYCACHEPREFIX)|__CF_USER_TEXT_ENCODING"
)
"""What a process needs of the machine it is on. The rest of a shell's variables would not be in a pod either."""

Lookup = Callable[[str, str], Mapping[str, bytes] | None]
"""(ConfigMap or Secret, name) → its values, None when there is none."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Kubernetes' expansion: `$(NAME)` is replaced when known and kept when not, `$$` is a dollar sign."""

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return values.get(match[1], match[0])

    return _REFERENCE.sub(one, text)


def service_variables(services: Iterable[tuple[Service, Mapping[int, Address]]]) -> dict[str, str]:
    """Kubernetes' own variables for each service; the addresses are where this caller reaches the ports it calls."""
    found: dict[str, str] = {}
    for service, addresses in services:
        prefix = re.sub(r"[-.]", "_", service.name.upper())
        called = [port for port in service.ports if port.number in addresses]
        for index, port in enumerate(called):
            address = addresses[port.number]
            if index == 0:
                found |= {
                    f"{prefix}_SERVICE_HOST": address.ip,
                    f"{prefix}_SERVICE_PORT": str(address.port),
                    f"{prefix}_PORT": f"tcp://{address}",
                }
            found[f"{prefix}_SERVICE_PORT_{port.name.upper().replace('-', '_')}"] = str(address.port)
            found |= {
                f"{prefix}_PORT_{port.number}_TCP": f"tcp://{address}",
                f"{prefix}_PORT_{port.number}_TCP_PROTO": "tcp",
                f"{prefix}_PORT_{port.number}_TCP_PORT": str(address.port),
                f"{prefix}_PORT_{port.number}_TCP_ADDR": address.ip,
            }
    return found


def local_variables(state: Path, ports: Mapping[str, Address], volumes: Mapping[str, Path]) -> dict[str, str]:
    """What localmesh adds to Kubernetes' variables: the laptop overlay refers to it."""
    found = {"LOCALMESH_STATE": str(state)}
    for name, address in ports.items():
        found[f"LOCALMESH_PORT_{name.upper().replace('-', '_')}"] = str(address.port)
    for name, folder in volumes.items():
        found[f"LOCALMESH_VOLUME_{name.upper().replace('-', '_')}"] = str(folder)
    return found


def machine_variables() -> dict[str, str]:
    """The part of our own environment that every process gets; `python` is the interpreter that runs us."""
    found = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    # As images have it: a line of a log must not wait in a buffer, least of all the last one.
    found.setdefault("PYTHONUNBUFFERED", "1")
    found["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return found


def container_variables(
    deployment: Deployment, replica: str, ip: str, known: Mapping[str, str], lookup: Lookup
) -> dict[str, str]:
    """What the manifest itself sets. `known`: service and local variables for `$(NAME)`, which are not given back."""
    own: dict[str, str] = {}
    for source in deployment.container.env_from:
        for key, value in (lookup(source.kind, source.name) or {}).items():
            own[source.prefix + key] = value.decode()
    for variable in deployment.container.env:
        if isinstance(variable.value, str):
            own[variable.name] = expand(variable.value, {**known, **own})
        elif isinstance(variable.value, FieldRef):
            own[variable.name] = _field(variable.value.path, deployment, replica, ip)
        else:
            found = _key(variable.value, lookup)
            if found is not None:
                own[variable.name] = found
    return own


def _key(reference: KeyRef, lookup: Lookup) -> str | None:
    value = (lookup(reference.kind, reference.name) or {}).get(reference.key)
    return None if value is None else value.decode()


def _field(path: str, deployment: Deployment, replica: str, ip: str) -> str:
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)']", path):
        values = deployment.labels if match[1] == "labels" else deployment.annotations
        return values.get(match[2], "")
    facts = {
        "metadata.name": replica,
        "metadata.namespace": deployment.namespace,
        "metadata.uid": replica,
        "spec.nodeName": "laptop",
        "spec.serviceAccountName": deployment.service_account,
        "status.podIP": ip,
        "status.hostIP": "127.0.0.1",
    }
    return facts[path]
