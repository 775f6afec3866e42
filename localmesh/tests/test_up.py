"""Starting and stopping: what is refused and why, and that nothing is ever left behind."""

import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest
from checkouts import deployment, eventually, service


def gone(pids):
    return not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


def pids(running):
    return [process.pid for process in running.processes()] + [running.supervisor()]


def test_down_leaves_no_process(new_checkout):
    """`down` stops Envoy, every replica and the supervisor; the port is free again, and a second `down` says so."""
    demo = new_checkout()
    demo.up()
    found = pids(demo)
    assert len(found) == 4
    assert "stopped" in demo.run("down").stdout
    assert gone(found)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", demo.port))
    assert "nothing runs" in demo.run("down").stdout


@pytest.mark.parametrize("words", [["--overlay", "small"], []])
def test_another_overlay_runs_when_it_is_named(new_checkout, words):
    """By flag or in the environment; `status` and `doctor` say which, and its edits are followed."""
    demo = new_checkout()
    file = "k8s/overlays/small/kustomization.yaml"
    text = "resources: [../laptop]\nreplicas: [{name: web, count: %d}]\n"
    demo.write(file, text % 1)
    environment = {} if words else {"DEMO_OVERLAY": "small"}
    assert "overlay k8s/overlays/small" in demo.up(*words, **environment)
    assert demo.status()["overlay"] == "k8s/overlays/small"
    assert "k8s/overlays/small: 1 workloads" in demo.run("doctor", *words, **environment).stdout
    assert len(demo.replicas()) == 1
    demo.write(file, text % 3)
    eventually(lambda: len(demo.replicas()) == 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_in_order(new_checkout, number):
    """Ctrl-C or SIGTERM in the foreground drains and stops everything, says so, and ends with code 0."""
    demo = new_checkout()
    command = [sys.executable, "demo.py", "up", "--port", str(demo.port)]
    with subprocess.Popen(
        command, cwd=demo.folder, env=demo.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as up:
        for line in up.stdout:
            if "demo is at" in line:
                break
        found = pids(demo)
        assert demo.get()["replica"].startswith("web-")
        os.kill(up.pid, number)
        rest = up.stdout.read()
        assert up.wait(10) == 0
    assert "all stopped" in rest
    assert gone(found)


def test_a_second_signal_does_not_wait_for_the_grace(new_checkout):
    """Who presses Ctrl-C again is not kept waiting by a service that does not end."""
    demo = new_checkout(replicas=1)
    stubborn = deployment("web", 1, "[python, fake_service.py, --stubborn]")
    stubborn = stubborn.replace("GracePeriodSeconds: 5", "GracePeriodSeconds: 60")
    demo.write("k8s/overlays/laptop/web.yaml", stubborn + service("web"))
    demo.up()
    (pid,) = [replica["pid"] for replica in demo.replicas()]
    supervisor = demo.supervisor()
    os.kill(supervisor, signal.SIGTERM)
    eventually(lambda: not (demo.home / "state.json").exists())
    assert psutil.pid_exists(pid)
    os.kill(supervisor, signal.SIGTERM)
    eventually(lambda: gone([pid, supervisor]))


def test_down_works_while_it_starts(new_checkout):
    """Also before the running copy listens for verbs."""
    demo = new_checkout()
    command = [sys.executable, "demo.py", "up", "--port", str(demo.port)]
    with subprocess.Popen(command, cwd=demo.folder, env=demo.environment, stdout=subprocess.DEVNULL) as up:
        eventually(lambda: (demo.home / "lock").exists() and (demo.home / "lock").read_text())
        demo.run("down")
        assert up.wait(10) == 0 or up.returncode == -signal.SIGTERM
    assert demo.processes() == []


def test_a_signal_while_starting_leaves_nothing(new_checkout):
    """Whoever changes their mind at once gets a clean machine as well."""
    demo = new_checkout()
    command = [sys.executable, "demo.py", "up", "--port", str(demo.port)]
    with subprocess.Popen(command, cwd=demo.folder, env=demo.environment, stdout=subprocess.DEVNULL) as up:
        eventually(demo.processes)
        os.kill(up.pid, signal.SIGTERM)
        assert up.wait(10) == 0
    assert demo.processes() == []


def test_a_killed_supervisor_leaves_no_process(new_checkout):
    """After kill -9 of the supervisor the system ends its processes, and the next `up` works."""
    demo = new_checkout()
    demo.up()
    found = pids(demo)
    os.kill(demo.supervisor(), signal.SIGKILL)
    eventually(lambda: gone(found))
    demo.up()
    assert demo.get()["replica"].startswith("web-")


def test_what_an_earlier_run_left_behind_is_ended(new_checkout):
    """A process that is recorded and still runs without a supervisor is ended by the next `up`; others are not."""
    demo = new_checkout(replicas=1)
    demo.home.mkdir()
    left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    created = psutil.Process(left.pid).create_time()
    # The second entry has the pid of a process that started at another time: the pid was used again.
    demo.write(
        ".demo/processes.json",
        f'[{{"pid": {left.pid}, "name": "web-0", "created": {created}}},'
        f' {{"pid": {other.pid}, "name": "web-1", "created": {created - 1000}}}]',
    )
    try:
        assert f"left-over processes: web-0 (pid {left.pid})" in demo.run("doctor", check=False).stdout
        assert "ended web-0, left behind by an earlier run" in demo.up()
        assert left.wait(5) == -signal.SIGTERM
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.wait()


def test_two_copies_run_side_by_side(new_checkout):
    """Each with its own state folder, port and addresses; stopping one leaves the other alone."""
    one, two = new_checkout("one"), new_checkout("two")
    one.up()
    two.up()
    assert {replica["http"] for replica in one.replicas()}.isdisjoint(replica["http"] for replica in two.replicas())
    assert one.get()["pid"] in {replica["pid"] for replica in one.replicas()}
    one.run("down")
    assert two.get()["pid"] in {replica["pid"] for replica in two.replicas()}


def test_one_checkout_can_run_twice(new_checkout):
    """DEMO_HOME and DEMO_PORT do what the state folder and --port do."""
    demo, other = new_checkout(), new_checkout("unused")
    home = str(demo.folder / "second")
    demo.up()
    demo.run("up", "--detach", DEMO_HOME=home, DEMO_PORT=str(other.port))
    assert f"http://localhost:{other.port}" in demo.run("status", DEMO_HOME=home).stdout
    demo.run("down", DEMO_HOME=home)
    assert demo.get()


def test_a_port_in_use_is_named_with_its_holder(new_checkout):
    """The error says which port, who has it, and what to do; nothing is started."""
    demo = new_checkout()
    with socket.create_server(("127.0.0.1", demo.port)):
        done = demo.run("up", "--detach", "--port", str(demo.port), check=False)
    assert done.returncode == 1
    assert f"port {demo.port} is in use by" in done.stderr
    assert f"(pid {os.getpid()})" in done.stderr
    assert f"--port {demo.port + 1}" in done.stderr
    assert demo.processes() == []


def test_a_workload_that_cannot_start_is_reported_and_the_rest_runs(new_checkout):
    """Its last words are shown, it is tried again ever later, and `up --scenario` and the others work meanwhile."""
    demo = new_checkout(replicas=1)
    demo.write("k8s/overlays/laptop/bad.yaml", deployment("bad", 1, "[python, fake_service.py, --crash]"))
    demo.write(
        "k8s/overlays/laptop/kustomization.yaml",
        "namespace: demo\nresources: [web.yaml, bad.yaml, ../../../istio/base]\n",
    )
    command = [sys.executable, "demo.py", "up", "--port", str(demo.port), "--scenario", "teapot"]
    with subprocess.Popen(command, cwd=demo.folder, env=demo.environment, stdout=subprocess.PIPE, text=True) as up:
        lines = []
        for line in up.stdout:
            lines.append(line)
            if "again in 1 s" in line:
                break
        assert "bad-0 ended with code 1 (the model is missing); starting it again" in "".join(lines)
        assert demo.status()["scenario"] == "teapot"
        assert demo.status()["ready"] is False
        assert eventually(lambda: demo.replicas("web")[0]["ready"])
        assert demo.replicas("bad")[0]["restarts"] >= 3
        up.terminate()
        up.communicate(timeout=10)
    assert demo.processes() == []
