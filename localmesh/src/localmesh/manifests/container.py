"""Reading a pod's container, its environment, probes and volumes."""

from __future__ import annotations

from typing import Any

from localmesh.manifests.autoscaler import milli
from localmesh.manifests.model import Container, ContainerPort, EnvFrom, EnvVar, FieldRef, KeyRef, Probe, Volume
from localmesh.manifests.node import Node

_FIELD_REFS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.podIP",
    "status.hostIP",
)


def read_container(node: Node) -> Container:
    """One container. Raises ManifestError for what a process cannot do."""
    lifecycle = node.maybe("lifecycle")
    if lifecycle:
        lifecycle.done()
    resources = node.node("resources")
    requests = resources.take("requests", dict, {})
    if "cpu" in requests:
        try:
            milli(str(requests["cpu"]))
        except ValueError as error:
            raise resources.error("requests.cpu", str(error)) from None
    resources.done()
    container = Container(
        name=node.take("name", str),
        command=node.texts("command"),
        args=node.texts("args"),
        env=tuple(_env(entry) for entry in node.nodes("env")),
        env_from=tuple(_env_from(entry) for entry in node.nodes("envFrom")),
        ports=tuple(_port(entry) for entry in node.nodes("ports")),
        startup=_probe(node, "startupProbe"),
        liveness=_probe(node, "livenessProbe"),
        readiness=_probe(node, "readinessProbe"),
        requests={key: str(value) for key, value in requests.items()},
        mounts=tuple(_mount(entry) for entry in node.nodes("volumeMounts")),
    )
    if not container.command:
        raise node.error("command", "is missing: on a laptop there is no image to take an entrypoint from")
    _check_probe_ports(node, container)
    node.done()
    return container


def _check_probe_ports(node: Node, container: Container) -> None:
    names = {port.name for port in container.ports} | {str(port.number) for port in container.ports}
    for field, probe in (
        ("startupProbe", container.startup),
        ("livenessProbe", container.liveness),
        ("readinessProbe", container.readiness),
    ):
        if probe and probe.port not in names:
            raise node.error(field, f"the container has no port `{probe.port}`")


def _env(node: Node) -> EnvVar:
    name = node.take("name", str)
    source = node.maybe("valueFrom")
    value: str | FieldRef | KeyRef = node.take("value", str, "") if source is None else _value_from(source)
    node.done()
    return EnvVar(name, value)


def _value_from(node: Node) -> FieldRef | KeyRef:
    value: FieldRef | KeyRef
    if field := node.maybe("fieldRef"):
        field.take("apiVersion", str, "v1")
        path = field.take("fieldPath", str)
        if path not in _FIELD_REFS and not path.startswith(("metadata.labels['", "metadata.annotations['")):
            raise field.error("fieldPath", f"`{path}` is not known on a laptop")
        value = FieldRef(path)
        field.done()
    elif key := (node.maybe("configMapKeyRef")):
        value = _key_ref(key, "ConfigMap")
    elif key := (node.maybe("secretKeyRef")):
        value = _key_ref(key, "Secret")
    else:
        node.done()
        raise node.error("", "needs fieldRef, configMapKeyRef or secretKeyRef")
    node.done()
    return value


def _key_ref(node: Node, kind: str) -> KeyRef:
    value = KeyRef(kind, node.take("name", str), node.take("key", str), node.take("optional", bool, False))
    node.done()
    return value


def _env_from(node: Node) -> EnvFrom:
    prefix = node.take("prefix", str, "")
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if source := node.maybe(field):
            value = EnvFrom(kind, source.take("name", str), prefix, source.take("optional", bool, False))
            source.done()
            node.done()
            return value
    raise node.error("", "needs configMapRef or secretRef")


def _port(node: Node) -> ContainerPort:
    if node.peek("protocol") not in (None, "TCP"):
        raise node.error("protocol", "only TCP is supported")
    number = node.take("containerPort", int)
    port = ContainerPort(node.take("name", str, str(number)), number)
    node.done()
    return port


def _probe(container: Node, field: str) -> Probe | None:
    node = container.maybe(field)
    if node is None:
        return None
    path: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    if http := node.maybe("httpGet"):
        path = http.take("path", str, "/")
        port: Any = http.peek("port")
        http.take("port", object)
        http.choose("scheme", ("HTTP",))
        headers = tuple((entry.take("name", str), entry.take("value", str)) for entry in http.nodes("httpHeaders"))
        http.done()
    elif tcp := node.maybe("tcpSocket"):
        port = tcp.take("port", object)
        tcp.done()
    else:
        raise node.error("", "needs httpGet or tcpSocket; grpc and exec are not supported on a laptop")
    probe = Probe(
        port=str(port),
        path=path,
        headers=headers,
        initial_delay=node.take("initialDelaySeconds", int, 0),
        period=max(1, node.take("periodSeconds", int, 10)),
        timeout=max(1, node.take("timeoutSeconds", int, 1)),
        failure_threshold=max(1, node.take("failureThreshold", int, 3)),
        success_threshold=max(1, node.take("successThreshold", int, 1)),
    )
    node.done()
    return probe


def _mount(node: Node) -> tuple[str, str]:
    mount = (node.take("name", str), node.take("mountPath", str))
    node.done()
    return mount


def read_volume(node: Node) -> Volume:
    """A volume of files: configMap, secret or emptyDir."""
    name = node.take("name", str)
    if source := node.maybe("emptyDir"):
        volume = Volume(name, "emptyDir")
    elif source := node.maybe("configMap"):
        volume = Volume(
            name, "configMap", source.take("name", str), _items(source), source.take("optional", bool, False)
        )
    elif source := node.maybe("secret"):
        volume = Volume(
            name, "secret", source.take("secretName", str), _items(source), source.take("optional", bool, False)
        )
    else:
        raise node.error("", f"volume {name}: only configMap, secret and emptyDir are supported on a laptop")
    source.done()
    node.done()
    return volume


def _items(node: Node) -> tuple[tuple[str, str], ...]:
    return tuple((entry.take("key", str), entry.take("path", str)) for entry in node.nodes("items"))
