"""A small product that runs for real: processes, Envoy, and the command."""

import os
import signal

import psutil
import pytest
from checkouts import Load, checkout, eventually


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One copy for the tests that leave it as they found it."""
    found = checkout(tmp_path_factory.mktemp("demo"))
    found.up()
    yield found
    found.run("down")
    assert found.processes() == []


def test_status_has_the_promised_shape(running):
    """`status --json` names the ingress, Envoy, the scenario, and each replica's process, addresses and readiness."""
    status = running.status()
    assert status["ingress"] == f"http://localhost:{running.port}"
    assert status["envoy"]["version"].count(".") == 2
    assert status["scenario"] is None
    (web,) = status["workloads"]
    assert (web["name"], web["service"], web["version"], web["desired"]) == ("web", "web", "v1", 2)
    for replica in web["replicas"]:
        assert replica["ready"] is True
        assert replica["restarts"] == 0
        assert replica["grpc"] is None
        assert psutil.pid_exists(replica["pid"])
    assert len({replica["http"] for replica in web["replicas"]}) == 2


def test_each_replica_has_the_environment_that_kubernetes_gives(running):
    """Service variables lead to Envoy's listener for the caller, and `$(NAME)` is expanded."""
    variables = running.get("/environment")["environment"]
    assert variables["WEB_SERVICE_PORT"] == variables["WEB_SERVICE_PORT_HTTP"]
    assert variables["UPSTREAM"] == f"http://{variables['WEB_SERVICE_HOST']}:{variables['WEB_SERVICE_PORT']}"
    assert variables["WEB_PORT_8080_TCP"].startswith("tcp://127.")
    assert variables["LOCALMESH_STATE"] == str(running.home)


def test_a_killed_process_is_back_within_five_seconds(running):
    """`kill` is a SIGKILL; the replica comes back with another process, and its restart is counted."""
    before = {replica["name"]: replica for replica in running.replicas()}
    running.run("kill", "web")

    def back():
        now = running.replicas()
        return all(replica["ready"] for replica in now) and {r["pid"] for r in now} != {
            r["pid"] for r in before.values()
        }

    eventually(back, 5)
    assert sum(replica["restarts"] for replica in running.replicas()) == 1 + sum(
        replica["restarts"] for replica in before.values()
    )


def test_scaling_up_and_down_loses_no_request(running):
    """New replicas get requests once they are ready; those that go finish what they have."""
    with Load(running, "/slow") as load:
        running.run("scale", "web", "4")
        assert [replica["name"] for replica in running.replicas()] == ["web-0", "web-1", "web-2", "web-3"]
        eventually(lambda: "web-3" in load.replicas)
        running.run("scale", "web", "2")
    assert load.failures == []
    assert len(running.replicas()) == 2


def test_a_rolling_restart_loses_no_request(running):
    """`restart` replaces every process, the new one ready before the old one goes."""
    before = {replica["pid"] for replica in running.replicas()}
    with Load(running) as load:
        running.run("restart", "web")
    assert load.failures == []
    after = {replica["pid"] for replica in running.replicas()}
    assert len(after) == 2
    assert not after & before


def test_a_scenario_is_in_force_when_the_command_returns(running):
    """`scenario apply` replaces the overlay's object, `clear` brings it back; both show in `status`."""
    running.run("scenario", "apply", "teapot")
    assert running.status()["scenario"] == "teapot"
    with pytest.raises(OSError, match="418"):
        running.get()
    running.run("scenario", "clear")
    assert running.status()["scenario"] is None
    assert running.get()["replica"].startswith("web-")


def test_an_unknown_scenario_or_workload_lists_the_known_ones(running):
    """An error is one line that says what, one that says what to do, and exit code 1."""
    for words, known in ((("scenario", "apply", "nope"), "teapot"), (("scale", "nope", "1"), "web")):
        done = running.run(*words, check=False)
        assert done.returncode == 1
        what, step = done.stderr.splitlines()
        assert what.startswith("error: ")
        assert "nope" in what
        assert known in step


def test_an_unready_replica_gets_no_requests(running):
    """A replica whose readiness probe fails leaves Envoy's list; when it is restarted it is back."""
    running.run("scale", "web", "2")
    sick = running.get("/sick/ready")["replica"]
    eventually(lambda: any(not replica["ready"] for replica in running.replicas()))
    assert {running.get()["replica"] for _ in range(20)} == {"web-0", "web-1"} - {sick}
    running.run("restart", "web")
    eventually(lambda: {running.get()["replica"] for _ in range(20)} == {"web-0", "web-1"})


def test_a_replica_whose_liveness_fails_is_restarted(running):
    """It gets a new process without being asked for."""
    sick = running.get("/sick/live")
    eventually(lambda: sick["pid"] not in {replica["pid"] for replica in running.replicas()})
    eventually(lambda: all(replica["ready"] for replica in running.replicas()))


def test_envoy_comes_back_when_it_is_killed(running):
    """A dead Envoy is a short outage; afterwards requests and changes work as before."""
    os.kill(running.status()["envoy"]["pid"], signal.SIGKILL)

    def answers():
        try:
            return running.get()
        except OSError:
            return None

    eventually(answers)
    running.run("scenario", "apply", "teapot")
    with pytest.raises(OSError, match="418"):
        running.get()
    running.run("scenario", "clear")


def test_the_supervisor_is_small(running):
    """Its resident memory stays below 60 MiB; processes and Envoy count for themselves."""
    assert psutil.Process(running.supervisor()).memory_info().rss < 60 * 1024 * 1024


def test_a_second_up_says_that_one_runs(running):
    """It names the URL and the process, and starts nothing."""
    done = running.run("up", check=False)
    assert done.returncode == 1
    assert f"http://localhost:{running.port} (pid {running.supervisor()})" in done.stderr
    assert done.stderr.startswith("error: demo runs already")


def test_forward_leads_to_one_replica(running):
    """`target` finds a ready replica of a service by the port's name or number, or says why not."""
    from localmesh.errors import LocalmeshError
    from localmesh.forward import target

    status = running.status()
    addresses = {replica["http"] for replica in running.replicas()}
    assert str(target(status, "web", "http")) in addresses
    assert str(target(status, "web", "8080")) in addresses
    with pytest.raises(LocalmeshError, match="no port `grpc`"):
        target(status, "web", "grpc")
    with pytest.raises(LocalmeshError, match="no service `nope`"):
        target(status, "nope", "http")


def test_logs_are_kept_by_replica(running):
    """`logs WORKLOAD` shows what each of its replicas wrote; an unknown name lists the known ones."""
    said = running.run("logs", "web").stdout
    assert "web-0" in said
    assert "serving web-1" in said
    assert "web-0" in running.run("logs", "nope", check=False).stderr


def test_an_edit_is_put_in_force(running):
    """A changed file is seen and applied; a wrong one is refused in the log, and what was in force stays."""
    file = "istio/base/ingress.yaml"
    text = (running.folder / file).read_text()
    log = running.home / "logs" / "demo.log"
    running.write(file, text.replace("retries: {attempts: 0}", "headers: {response: {set: {x-edited: 'yes'}}}"))
    eventually(lambda: "the edit of ingress.yaml is in force" in log.read_text())
    running.write(file, text.replace("retries:", "retreis:"))
    eventually(lambda: "refused the edit of ingress.yaml" in log.read_text())
    assert "retreis" in log.read_text()
    assert running.get()["replica"]
    running.write(file, text)
    eventually(lambda: log.read_text().count("the edit of ingress.yaml is in force") == 2)


def test_an_edited_deployment_is_rolled_out(running):
    """A changed variable replaces the processes; a changed count scales them."""
    file = "k8s/overlays/laptop/web.yaml"
    text = (running.folder / file).read_text()
    running.write(
        file,
        text.replace(
            "value: $(LOCALMESH_PORT_HTTP)}",
            "value: $(LOCALMESH_PORT_HTTP)}\n            - {name: COLOUR, value: blue}",
        ),
    )
    eventually(lambda: running.get("/environment")["environment"].get("COLOUR") == "blue")
    running.write(file, text.replace("replicas: 2", "replicas: 1"))
    eventually(lambda: len(running.replicas()) == 1)
    running.write(file, text)
    eventually(lambda: len(running.replicas()) == 2 and all(replica["ready"] for replica in running.replicas()))
