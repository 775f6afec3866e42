"""The command: what it says without a running copy, and how fast its parts are found."""

import os
import sys
from dataclasses import replace

import pytest

from localmesh.errors import LocalmeshError
from localmesh.product import Product
from localmesh.session import Session
from localmesh.state import Lock, StateFolder

PRODUCT = Product("demo", "A small product.", "k8s/overlays/laptop", "istio/scenarios", ".demo", "DEMO", "demo:DEMO")
VERBS = ("up", "down", "status", "kill", "scale", "restart", "logs", "doctor", "forward", "scenario")


def test_help_names_every_verb(new_checkout):
    """`--help` lists the verbs; each verb has a help of its own that says more than its name."""
    demo = new_checkout()
    text = demo.run("--help").stdout
    assert all(verb in text for verb in VERBS)
    assert "--port" in demo.run("up", "--help").stdout


@pytest.mark.parametrize(
    "words",
    [("status",), ("kill", "web"), ("scale", "web", "2"), ("restart", "web"), ("scenario", "apply", "teapot"),
     ("scenario", "clear"), ("forward", "web")],
)  # fmt: skip
def test_without_a_running_copy_verbs_say_how_to_start_one(new_checkout, words):
    """Two lines and exit code 1, no traceback."""
    done = new_checkout().run(*words, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    what, step = done.stderr.splitlines()
    assert what.startswith("error: demo does not run")
    assert step == "next:  Start it: `demo up`."


def test_scenarios_are_listed_without_a_running_copy(new_checkout):
    """With what their README says first after its title."""
    assert new_checkout().run("scenario", "list").stdout == "teapot  Every call is answered by a teapot.\n"


def test_doctor_finds_what_is_wrong(new_checkout):
    """All is well in a good checkout; a broken overlay is found, with exit code 1."""
    demo = new_checkout()
    said = demo.run("doctor", "--port", str(demo.port)).stdout
    assert f"ok     Python: {sys.version_info.major}.{sys.version_info.minor}" in said
    assert "ok     Envoy: 1." in said
    assert "1 workloads, 1 scenarios" in said
    assert f"port {demo.port}: free" in said
    demo.write("k8s/overlays/laptop/kustomization.yaml", "resources: [nothing.yaml]\n")
    done = demo.run("doctor", "--port", str(demo.port), check=False)
    assert done.returncode == 1
    assert "wrong  k8s/overlays/laptop: k8s/overlays/laptop/kustomization.yaml: resources[0]" in done.stdout


def test_the_checkout_is_found_upwards(new_checkout, monkeypatch):
    """From a folder within it; a flag overrides; elsewhere the error says what is missing."""
    demo = new_checkout()
    below = demo.folder / "istio" / "base"
    monkeypatch.chdir(below)
    assert Session(PRODUCT).root == demo.folder
    monkeypatch.chdir("/")
    assert Session(PRODUCT, demo.folder).root == demo.folder
    with pytest.raises(LocalmeshError, match="there is no k8s/overlays/laptop in / nor above it"):
        _ = Session(PRODUCT).root


def test_the_environment_does_what_flags_do(tmp_path):
    """DEMO_PORT and DEMO_HOME; a flag goes before; a word that is no port is refused."""
    session = Session(PRODUCT, environment={"DEMO_PORT": "81", "DEMO_HOME": str(tmp_path)})
    assert session.port(None) == 81
    assert session.port(82) == 82
    assert session.state.path == tmp_path
    for text in ("x", "0", "70000"):
        with pytest.raises(LocalmeshError, match="is not a port"):
            Session(PRODUCT, environment={"DEMO_PORT": text}).port(None)


def test_an_overlay_is_named_by_the_folder_beside_the_usual_one(new_checkout):
    """By flag or DEMO_OVERLAY; one that is not there names those that are."""
    demo = new_checkout()
    demo.write("k8s/overlays/strict/kustomization.yaml", "resources: [../laptop]\n")
    assert Session(PRODUCT, demo.folder, environment={}).overlay() == "k8s/overlays/laptop"
    assert Session(PRODUCT, demo.folder, environment={}).overlay("strict") == "k8s/overlays/strict"
    named = Session(PRODUCT, demo.folder, environment={"DEMO_OVERLAY": "strict"})
    assert (named.overlay(), named.overlay("laptop")) == ("k8s/overlays/strict", "k8s/overlays/laptop")
    folder = Session(replace(PRODUCT, overlay="."), demo.folder / "k8s/overlays", environment={})
    assert (folder.overlay(), folder.overlay("strict")) == (".", "strict")
    for words in (("up", "--overlay", "strickt"), ("doctor", "--overlay", "strickt")):
        done = demo.run(*words, check=False)
        assert done.returncode == 1
        what, step = done.stderr.splitlines()
        assert what == f"error: there is no overlay `strickt` in {demo.folder}/k8s/overlays"
        assert step == "next:  There is: laptop, strict."


def test_a_state_folder_has_one_owner(tmp_path):
    """A lock that is held is not given a second time, and is free when its holder lets go."""
    state = StateFolder(tmp_path / "state")
    assert state.running() is None
    state.create()
    first, second = Lock(state), Lock(state)
    assert first.acquire()
    assert not second.acquire()
    assert state.running() == {"pid": os.getpid()}
    first.release()
    assert second.acquire()
    second.release()


def test_the_control_socket_fits_its_path(tmp_path):
    """A long path of the state folder puts the socket into a short folder of the system's."""
    assert StateFolder(tmp_path / "s").socket.parent == tmp_path / "s"
    long = StateFolder(tmp_path / ("x" * 120))
    assert len(str(long.socket)) < 104
    assert long.socket != StateFolder(tmp_path / ("y" * 120)).socket
