"""localmesh's autoscaling beside a real kube-controller-manager's: the same looks, the same replicas."""

from pathlib import Path

import pytest
from hpa_parity import traces

from localmesh.autoscaling import pods
from localmesh.autoscaling.behavior import History
from localmesh.autoscaling.recommend import recommend
from localmesh.kustomize.document import Document
from localmesh.manifests.autoscaler import read_autoscaler


def seen(pod: traces.Pod, request: int | None) -> pods.Pod:
    """As localmesh sees it."""
    return pods.Pod(
        name=pod.name,
        request=request,
        started=pod.started,
        ready=pod.ready,
        ready_changed=pod.ready_changed,
        usage=None if pod.cpu is None else pods.Usage(pod.cpu, pod.at, traces.WINDOW),
        pending=pod.pending,
        metrics={} if pod.custom is None else {traces.METRIC: pod.custom},
    )


@pytest.mark.parametrize("name", traces.TRACES)
def test_the_same_looks_give_the_same_replicas(name):
    """At each look as many as kube-controller-manager wanted, from what it saw and what localmesh decided before."""
    trace = traces.TRACES[name]
    body = {"apiVersion": "autoscaling/v2", "metadata": {"name": name, "namespace": "demo"}, "spec": trace.spec(name)}
    autoscaler = read_autoscaler(Document({**body, "kind": "HorizontalPodAutoscaler"}, Path("trace.yaml")))
    history, here, there = History(), [], []
    for look in traces.recorded(name):
        decision = recommend(autoscaler, look.before, [seen(one, trace.request) for one in look.pods], history, look.t)
        history = decision.history
        here.append(decision.replicas)
        there.append(look.after)
    assert here == there
    assert len(there) == len(trace.looks())
