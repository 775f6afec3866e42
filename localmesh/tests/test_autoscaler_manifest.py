"""HorizontalPodAutoscalers as they are read: defaults as the API server's, and no field passed over."""

from pathlib import Path

import pytest
import yaml

from localmesh.errors import ManifestError
from localmesh.kustomize.document import Document
from localmesh.manifests import read
from localmesh.manifests.autoscaler import milli
from localmesh.manifests.model import CpuTarget, PodsTarget, ScalingPolicy

METRIC = "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}"


def autoscaler(more="", metrics=f"[{METRIC}]"):
    text = f"""
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {{name: web, namespace: demo}}
    spec:
      scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
      maxReplicas: 4
      metrics: {metrics}
      {more}
    """
    (found,) = read([Document(yaml.safe_load(text), Path("folder/web.yaml"))]).autoscalers
    return found


def test_without_a_behavior_there_are_no_rules():
    """As on a cluster: the controller's own speed then."""
    found = autoscaler()
    assert (found.target, found.min_replicas, found.max_replicas) == ("web", 1, 4)
    assert (found.scale_up, found.scale_down) == (None, None)
    assert found.metrics == (CpuTarget(60),)


def test_one_direction_of_a_behavior_brings_the_other_ones_default():
    """The API server fills both in."""
    found = autoscaler("behavior: {scaleDown: {stabilizationWindowSeconds: 60}}")
    assert found.scale_down.window == 60
    assert found.scale_down.policies == (ScalingPolicy("Percent", 100, 15),)
    assert (found.scale_up.window, len(found.scale_up.policies)) == (0, 2)


def test_no_metrics_mean_eighty_percent():
    """The API server's default."""
    assert autoscaler(metrics="[]").metrics == (CpuTarget(80),)


def test_a_metric_of_the_replicas_own():
    """In thousandths, beside CPU; only what a replica is to have on average can be its target."""
    pods = '{type: Pods, pods: {metric: {name: jobs}, target: {type: AverageValue, averageValue: "2.5"}}}'
    assert autoscaler(metrics=f"[{METRIC}, {pods}]").metrics == (CpuTarget(60), PodsTarget("jobs", 2500))
    with pytest.raises(ManifestError, match="selector"):
        autoscaler(metrics=f"[{pods.replace('name: jobs', 'name: jobs, selector: {}')}]")


@pytest.mark.parametrize(("text", "value"), [("100m", 100), ("1", 1000), ("0.25", 250), ("0.0001", 1)])
def test_quantities(text, value):
    """Thousandths of a CPU, rounded up."""
    assert milli(text) == value


REFUSED = {
    "memory": ("", f"[{METRIC.replace('cpu', 'memory')}]", "memory"),
    "another kind of metric": ("", "[{type: Object, object: {}}]", "Object"),
    "a bound below the other": ("minReplicas: 5", f"[{METRIC}]", "minReplicas"),
    "an unknown field": ("behaviour: {}", f"[{METRIC}]", "behaviour"),
    "a policy of nothing": (
        "behavior: {scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 15}]}}", f"[{METRIC}]", "policies"),
    "a quantity": ("", "[{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 1 CPU}}}]",
                   "averageValue"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "metrics", "named"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_named(more, metrics, named):
    """The file and the field are in the error."""
    with pytest.raises(ManifestError, match=named) as error:
        autoscaler(more, metrics)
    assert "folder/web.yaml" in str(error.value)
