"""A replica's environment is what a kubelet would make of its manifest."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from localmesh.environment import (
    container_variables,
    expand,
    local_variables,
    machine_variables,
    service_variables,
)
from localmesh.manifests.model import Container, Deployment, EnvFrom, EnvVar, FieldRef, KeyRef
from localmesh.mesh import Address, Service, ServicePort
from localmesh.reach import reached
from localmesh.translate import entry_services

INFERENCE = Service(
    "big-model",
    "demo",
    {"app": "m"},
    (ServicePort("http", 8080, "http", "http"), ServicePort("grpc", 9090, "grpc", "grpc")),
)
OTHER = Service(
    "other", "demo", {"app": "o"}, (ServicePort("http", 80, "http", "http"), ServicePort("db", 5, "5", "tcp"))
)
ELSEWHERE = dataclasses.replace(OTHER, namespace="elsewhere")


def deployment(*env: EnvVar, **more) -> Deployment:
    container = Container("web", ("python",), env=env, **more)
    return Deployment(
        "web", "demo", {"version": "v1"}, {"note": "n"}, 1, container, (), "robot", 30, True, 1, False, Path("web.yaml")
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)", "x1y2"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(A", "$(A"),
    ],
)
def test_expansion(text, expected):
    """`$(NAME)` is replaced when known and kept when not; `$$` is a dollar sign."""
    assert expand(text, {"A": "1", "B": "2"}) == expected


def test_service_variables():
    """Names and values as Kubernetes gives them; ports that the caller has no way to are left out."""
    found = service_variables([(INFERENCE, {8080: Address("127.9.1.1", 8080), 9090: Address("127.9.1.1", 40000)})])
    assert found["BIG_MODEL_SERVICE_HOST"] == "127.9.1.1"
    assert found["BIG_MODEL_SERVICE_PORT"] == found["BIG_MODEL_SERVICE_PORT_HTTP"] == "8080"
    assert found["BIG_MODEL_SERVICE_PORT_GRPC"] == "40000"
    assert found["BIG_MODEL_PORT"] == "tcp://127.9.1.1:8080"
    assert found["BIG_MODEL_PORT_9090_TCP"] == "tcp://127.9.1.1:40000"
    assert found["BIG_MODEL_PORT_9090_TCP_PORT"] == "40000"
    only = service_variables([(INFERENCE, {9090: Address("127.9.1.1", 9090)})])
    assert only["BIG_MODEL_SERVICE_PORT"] == "9090"
    assert "BIG_MODEL_SERVICE_PORT_HTTP" not in only


def test_local_variables():
    """The state folder, the replica's own ports, and a folder a volume."""
    found = local_variables(Path("/s"), {"http": Address("127.9.1.1", 81)}, {"my-keys": Path("/s/volumes/k")})
    assert found == {
        "LOCALMESH_STATE": "/s",
        "LOCALMESH_PORT_HTTP": "81",
        "LOCALMESH_VOLUME_MY_KEYS": "/s/volumes/k",
    }


def test_container_variables():
    """env overrides envFrom, sees what stands before it, the known variables and the downward API."""
    config = {
        ("ConfigMap", "settings"): {"A": b"from", "B": b"$(X)"},
        ("Secret", "keys"): {"key": b"k"},
    }
    found = container_variables(
        deployment(
            EnvVar("A", "$(B)-$(KNOWN)-$(LATER)"),
            EnvVar("LATER", "l"),
            EnvVar("IP", FieldRef("status.podIP")),
            EnvVar("NAME", FieldRef("metadata.name")),
            EnvVar("VERSION", FieldRef("metadata.labels['version']")),
            EnvVar("NOTE", FieldRef("metadata.annotations['note']")),
            EnvVar("WHO", FieldRef("spec.serviceAccountName")),
            EnvVar("KEY", KeyRef("Secret", "keys", "key")),
            EnvVar("NONE", KeyRef("Secret", "nothing", "key", True)),
            env_from=(EnvFrom("ConfigMap", "settings"), EnvFrom("Secret", "keys", "P_")),
        ),
        "web-0",
        "127.9.1.1",
        {"KNOWN": "yes"},
        lambda kind, name: config.get((kind, name)),
    )
    assert found == {
        "A": "$(X)-yes-$(LATER)",
        "B": "$(X)",
        "P_key": "k",
        "LATER": "l",
        "IP": "127.9.1.1",
        "NAME": "web-0",
        "VERSION": "v1",
        "NOTE": "n",
        "WHO": "robot",
        "KEY": "k",
    }


def test_only_what_the_machine_needs_is_inherited(monkeypatch):
    """A shell's settings of a service do not reach it; telemetry's do. `python` is the interpreter that runs us."""
    monkeypatch.setenv("INFERENCE_HTTP_PORT", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x")
    found = machine_variables()
    assert "INFERENCE_HTTP_PORT" not in found
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://x"
    assert found["HOME"] == os.environ["HOME"]
    assert found["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing", {}),
        ("$(BIG_MODEL_SERVICE_HOST):$(BIG_MODEL_SERVICE_PORT_GRPC)", {"big-model": [9090]}),
        ("$(BIG_MODEL_SERVICE_HOST):$(BIG_MODEL_SERVICE_PORT)", {"big-model": [8080]}),
        ("$(BIG_MODEL_SERVICE_HOST)", {"big-model": [8080, 9090]}),
        ("$(BIG_MODEL_PORT_9090_TCP)", {"big-model": [9090]}),
        ("$(OTHER_SERVICE_HOST)", {"other": [80]}),
        ("$(MODEL_SERVICE_HOST) $(BIG_MODEL_SERVICE_HOSTS) $BIG_MODEL_SERVICE_HOST", {}),
    ],
)
def test_a_workload_reaches_what_its_manifest_names(text, expected):
    """There is a way out to each service and port that a variable names, over HTTP, in its own namespace."""
    found = reached(deployment(EnvVar("X", text)), [INFERENCE, OTHER, ELSEWHERE])
    assert {service.name: [port.number for port in ports] for service, ports in found} == expected


def test_a_service_outside_is_named_by_its_host():
    """A ServiceEntry's host is a service's name, with `_` where a variable can have no dot."""
    (bank,) = entry_services(
        [
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "ServiceEntry",
                "metadata": {"name": "bank", "namespace": OTHER.namespace},
                "spec": {
                    "hosts": ["bank.example.com"],
                    "resolution": "DNS",
                    "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
                },
            }
        ]
    )
    caller = deployment(EnvVar("X", "http://$(BANK_EXAMPLE_COM_SERVICE_HOST):$(BANK_EXAMPLE_COM_SERVICE_PORT)"))
    ((found, ports),) = reached(caller, [OTHER, bank])
    assert (found.host, [port.number for port in ports]) == ("bank.example.com", [80])
    assert service_variables([(bank, {80: Address("127.9.1.1", 80)})])["BANK_EXAMPLE_COM_SERVICE_HOST"] == "127.9.1.1"


def test_without_service_links_nothing_is_reached():
    """`enableServiceLinks: false` takes the variables away, as on a cluster."""
    one = dataclasses.replace(deployment(EnvVar("X", "$(OTHER_SERVICE_HOST)")), service_links=False)
    assert list(reached(one, [OTHER])) == []
