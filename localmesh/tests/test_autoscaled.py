"""A small product with a HorizontalPodAutoscaler, as it runs: real processes, real CPU, no request lost."""

import threading

import pytest
from checkouts import Load, checkout, deployment, eventually, service

AUTOSCALER = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
  behavior:
    scaleDown: {stabilizationWindowSeconds: 2}
"""
PERIOD = {"LOCALMESH_HPA_SYNC_SECONDS": "0.5"}


def scaled_web(request="20m"):
    text = deployment("web", 1)
    probes = "          readinessProbe:"
    assert probes in text
    resources = f"          resources: {{requests: {{cpu: {request}}}}}\n"
    return text.replace(probes, resources + probes) + service("web") + AUTOSCALER


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    found = checkout(tmp_path_factory.mktemp("demo"), 1)
    found.write("k8s/overlays/laptop/web.yaml", scaled_web())
    found.up(**PERIOD)
    yield found
    found.run("down")
    assert found.processes() == []


def autoscaler(running):
    (found,) = running.status()["autoscalers"]
    return found


def test_load_brings_replicas_and_their_end_takes_them_away_without_a_lost_request(running):
    """Busy processes are joined by others up to maxReplicas; idle ones go, down to minReplicas."""
    eventually(lambda: autoscaler(running)["metrics"][0]["current"] is not None)
    with Load(running) as load:
        eventually(lambda: len([one for one in running.replicas() if one["ready"]]) == 3, 30)
        eventually(lambda: len(load.replicas) == 3)
    calm = threading.Event()
    lost = []

    def visit_now_and_then():
        while not calm.wait(0.1):
            try:
                running.get()
            except OSError as error:
                lost.append(error)

    visitor = threading.Thread(target=visit_now_and_then)
    visitor.start()
    try:
        eventually(lambda: len(running.replicas()) == 1, 30)
    finally:
        calm.set()
        visitor.join()
    assert load.failures == []
    assert lost == []
    assert "autoscaler: cpu" in (running.home / "logs" / "demo.log").read_text()


def test_status_tells_what_it_measures_and_wants(running):
    """In JSON with the bounds and the reason, and as a line for a person."""
    found = autoscaler(running)
    assert (found["name"], found["workload"], found["min"], found["max"]) == ("web", "web", 1, 3)
    assert found["metrics"][0]["target"] == 50
    said = running.run("status").stdout
    assert "%/50%" in said
    assert "1–3" in said


def test_a_count_by_hand_is_where_it_goes_on_from(running):
    """As with kubectl: the autoscaler corrects it, and `scale` says so; 0 turns it off until there is one again."""
    said = running.run("scale", "web", "5").stdout
    assert "HorizontalPodAutoscaler web decides" in said
    eventually(lambda: len(running.replicas()) <= 3, 20)
    assert "is off" in running.run("scale", "web", "0").stdout
    eventually(lambda: autoscaler(running)["reason"] == "ScalingDisabled")
    assert running.replicas() == []
    running.run("scale", "web", "1")
    eventually(lambda: autoscaler(running)["active"])


def test_doctor_hpa_names_the_broken_link(running):
    """A sound chain is a row of `ok`; without a request for CPU the metric is what is broken, and how to mend it."""
    eventually(lambda: autoscaler(running)["active"])
    sound = running.run("doctor", "hpa").stdout
    assert "wrong" not in sound
    for break_, words in (
        (scaled_web().replace("resources: {requests: {cpu: 20m}}", "resources: {}"), "resources.requests.cpu"),
        (scaled_web().replace("kind: Deployment, name: web", "kind: Deployment, name: wed"), "`wed`"),
    ):
        running.write("k8s/overlays/laptop/web.yaml", break_)
        # The break before this one has ended it with 1 too, so the words tell.
        eventually(lambda words=words: words in running.run("doctor", "hpa", check=False).stdout, 20)
        found = running.run("doctor", "hpa", check=False)
        assert found.returncode == 1
        assert "next:" in found.stdout
    running.write("k8s/overlays/laptop/web.yaml", scaled_web())
    eventually(lambda: running.run("doctor", "hpa", check=False).returncode == 0, 20)


def test_doctor_hpa_tells_what_runs_from_what_is_ready(running):
    """Scaled to 0 by hand, nothing runs; a replica that runs and is not ready is the readiness' fault."""

    def said(words):
        return words in running.run("doctor", "hpa", check=False).stdout

    eventually(lambda: len(running.replicas()) == 1, 20)
    running.run("scale", "web", "0")
    eventually(lambda: said("wrong  web: processes: 0 of 0 run"))
    assert said("`demo scale web 1`")
    running.run("scale", "web", "1")
    running.get("/sick/ready")
    eventually(lambda: said("wrong  web: readiness: 0 of 1 are ready"))
    running.run("restart", "web")
    eventually(lambda: running.run("doctor", "hpa", check=False).returncode == 0, 20)


def test_a_period_that_is_none_is_refused(new_checkout):
    """The environment's setting is checked before anything starts."""
    demo = new_checkout()
    done = demo.run("up", "--port", str(demo.port), check=False, LOCALMESH_HPA_SYNC_SECONDS="soon")
    assert done.returncode == 1
    assert "LOCALMESH_HPA_SYNC_SECONDS is `soon`" in done.stderr
