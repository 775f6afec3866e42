"""Every pod: Pod Security's level `restricted`, limits, probes, a read-only root, and no token that it does not use."""

import pytest

from localmesh.manifests import read
from rendered import OVERLAYS, containers, pod_template

NAMES = [*(overlay.name for overlay in OVERLAYS if overlay.name != "laptop"), "all components"]
WITH_TOKEN = {"keys"}
"""Who asks the API server for something."""
WITHOUT_PROBES = {"load-worker": "has no port; it ends when its master is lost"}
RESTRICTED_VOLUMES = {"configMap", "emptyDir", "projected", "secret", "downwardAPI", "persistentVolumeClaim", "name"}


def pods(documents):
    found = [(one.name, one.kind, pod_template(one)) for one in documents if pod_template(one)]
    assert found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_pods_are_restricted(rendered, name):
    """What the Pod Security Standards ask for at the level `restricted`."""
    for workload, _, template in pods(rendered[name]):
        spec = template["spec"]
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] is True, workload
        assert pod["runAsUser"] > 0, workload
        assert pod["seccompProfile"]["type"] == "RuntimeDefault", workload
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), workload
        assert {key for volume in spec.get("volumes", []) for key in volume} <= RESTRICTED_VOLUMES, workload
        for container in containers(template):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, workload
            assert security["capabilities"] == {"drop": ["ALL"]}, workload
            assert security["readOnlyRootFilesystem"] is True or name == "dev", workload
            assert not {"privileged", "procMount"} & set(security), workload
            assert all("hostPort" not in port for port in container.get("ports", [])), workload


@pytest.mark.parametrize("name", NAMES)
def test_containers_have_requests_and_limits(rendered, name):
    """CPU and memory, both ways, and no limit below its request."""
    for workload, _, template in pods(rendered[name]):
        for container in containers(template):
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert {"cpu", "memory"} <= set(requests), workload
            assert {"cpu", "memory"} <= set(limits), workload
            assert quantity(requests["memory"]) <= quantity(limits["memory"]), workload
            assert quantity(requests["cpu"]) <= quantity(limits["cpu"]), workload


@pytest.mark.parametrize("name", NAMES)
def test_servers_have_probes(rendered, name):
    """Liveness and readiness, at ports that the container names; never the same question for a service. (In dev a
    restart would lose what was copied.)"""
    for workload, kind, template in pods(rendered[name]):
        if kind == "Job" or workload in WITHOUT_PROBES or name == "dev":
            continue
        for container in template["spec"]["containers"]:
            ports = {port["name"] for port in container["ports"]}
            for probe in ("livenessProbe", "readinessProbe"):
                how = container[probe].get("httpGet") or container[probe].get("tcpSocket")
                assert how is None or how["port"] in ports, workload
            assert container["livenessProbe"] != container["readinessProbe"] or workload == "load-master", workload


@pytest.mark.parametrize("name", NAMES)
def test_only_who_needs_it_has_a_token(rendered, name):
    """No token of the API server lies in a pod that never asks it anything."""
    for workload, _, template in pods(rendered[name]):
        assert template["spec"]["automountServiceAccountToken"] is (workload in WITH_TOKEN), workload


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_files_that_their_group_reads(rendered, name):
    """No secret is in the environment, where a crash report would show it; as a file others cannot read it."""
    for workload, _, template in pods(rendered[name]):
        for volume in template["spec"].get("volumes", []):
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440, workload
                assert template["spec"]["securityContext"]["fsGroup"] > 0, workload
        for container in containers(template):
            assert all("secretKeyRef" not in entry.get("valueFrom", {}) for entry in container.get("env", [])), workload


@pytest.mark.parametrize("name", NAMES)
def test_references_have_targets(rendered, name):
    """Service accounts, ConfigMaps and what autoscalers and budgets point at are rendered too; Services select pods."""
    documents = rendered[name]
    known = {(one.kind, one.name) for one in documents}
    labels = [template["metadata"]["labels"] for _, _, template in pods(documents)]
    for _, _, template in pods(documents):
        assert ("ServiceAccount", template["spec"].get("serviceAccountName", "default")) in known | {
            ("ServiceAccount", "default")
        }
        for container in containers(template):
            for source in container.get("envFrom", []):
                assert ("ConfigMap", source["configMapRef"]["name"]) in known
        for volume in template["spec"].get("volumes", []):
            if "configMap" in volume and not volume["configMap"].get("optional"):
                assert ("ConfigMap", volume["configMap"]["name"]) in known
    for one in documents:
        if one.kind in ("HorizontalPodAutoscaler", "VerticalPodAutoscaler"):
            target = one["spec"].get("scaleTargetRef") or one["spec"]["targetRef"]
            assert (target["kind"], target["name"]) in known
        if one.kind == "Service" and one.identity.namespace == "inkmesh":
            assert any(one["spec"]["selector"].items() <= pod.items() for pod in labels), one.name
        if one.kind == "PodDisruptionBudget":
            chosen = [pod for pod in labels if one["spec"]["selector"]["matchLabels"].items() <= pod.items()]
            assert len(chosen) == 1, one.name


@pytest.mark.parametrize("name", ["production", "all components"])
def test_the_quota_has_room_for_every_autoscaler(rendered, name):
    """All of them at their most, each pod with a sidecar of Istio's default requests, one more for a rollout."""
    documents = rendered[name]
    (quota,) = [one["spec"]["hard"] for one in documents if one.kind == "ResourceQuota"]
    most = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"]["maxReplicas"]
        for one in documents
        if one.kind == "HorizontalPodAutoscaler"
    }
    count, cpu, memory = 0, 0.0, 0.0
    for workload, _, template in pods(documents):
        times = most.get(workload, 1) + 1
        count += times
        cpu += times * (
            0.1 + sum(quantity(one["resources"]["requests"]["cpu"]) for one in template["spec"]["containers"])
        )
        memory += times * (
            2**27 + sum(quantity(one["resources"]["requests"]["memory"]) for one in template["spec"]["containers"])
        )
    assert count <= int(quota["pods"])
    assert cpu <= quantity(quota["requests.cpu"])
    assert memory <= quantity(quota["requests.memory"])


def test_autoscalers_start_where_the_deployments_do(rendered):
    """An apply does not fight with an autoscaler: the Deployment's replicas are the least that it would have."""
    for name, documents in rendered.items():
        autoscalers = {
            one["spec"]["scaleTargetRef"]["name"]: one for one in documents if one.kind == "HorizontalPodAutoscaler"
        }
        for one in documents:
            if one.kind == "Deployment" and one.name in autoscalers:
                assert one["spec"]["replicas"] == autoscalers[one.name]["spec"]["minReplicas"], (name, one.name)


def test_the_laptop_reads_the_autoscalers(rendered):
    """They are parsed there too."""
    assert {one.target for one in read(rendered["laptop"]).autoscalers} == {
        "frontend", "gateway", "inference-v1", "inference-v2", "inference-v3",
    }  # fmt: skip


def quantity(text) -> float:
    """A Kubernetes quantity as a number."""
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    for unit, factor in units.items():
        if str(text).endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)
