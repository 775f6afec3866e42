"""Live settings of the whole product: an edit of the ConfigMap's YAML is in force while visitors read."""

import re
import shutil

import httpx
import jwt
import pytest

from gateway.provision.material import signing_key
from product import ROOT, eventually, own, running
from traffic import Visitors, statuses

pytestmark = pytest.mark.laptop


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The YAML that the running copy follows, free to be edited."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("k8s", "istio"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def product(checkout, tmp_path_factory):
    with running(tmp_path_factory.mktemp("inkmesh"), "--root", str(checkout)) as found:
        yield found


def processes(product):
    return {
        replica["pid"]: replica["restarts"]
        for workload in product.status()["workloads"]
        for replica in workload["replicas"]
    }


def told(replica, line):
    """Whether the replica's metrics have this line."""
    return line in httpx.get(f"{own(replica)}/metrics").text


def test_a_new_limit_comes_into_force_under_load(product, checkout):
    """At the next reading, with no process replaced; a mistake is refused, told by a metric, and changes nothing."""
    file = checkout / "k8s/base/gateway/live.yaml"
    good = file.read_text()
    strict = re.sub(r'(readings_\w+): "\d+"', r'\1: "2"', good)
    visitors = Visitors.arrive(product, count=4)
    before = processes(product)
    gateway = product.replicas("gateway")[0]

    def soon(status):
        seen = len(visitors.readings)
        eventually(lambda: any(reading.answer.status == status for reading in visitors.readings[seen:]))

    with visitors.reading(30, 15) as finish:
        soon(201)
        file.write_text(strict)
        soon(429)
        file.write_text(strict.replace('"2"', "several", 1))
        eventually(lambda: told(gateway, 'inkmesh_config_refused{source="settings"} 1.0'))
        soon(429)
        file.write_text(good)
        eventually(lambda: told(gateway, 'inkmesh_config_refused{source="settings"} 0.0'))
        soon(201)
        answers = finish()
    assert statuses(answers).keys() == {201, 429}
    assert {int(answer.headers["retry-after"]) for answer in answers if answer.status == 429} <= set(range(1, 11))
    assert before.items() <= processes(product).items()  # the autoscaler may have added some
    visitors.books_balance()


def test_the_log_level_switches_while_it_runs(product, checkout):
    """At `error` a service says nothing of requests; at `info` it does again."""
    file = checkout / "k8s/base/frontend/live.yaml"
    info = file.read_text()
    (frontend,) = product.replicas("frontend")

    def request(name):
        assert httpx.get(f"{own(frontend)}/", headers={"x-request-id": name}).status_code == 200

    def applied(times):
        return told(frontend, f'inkmesh_config_reloads_total{{result="applied",source="settings"}} {times}.0')

    request("loud")
    file.write_text(info.replace("log_level: info", "log_level: error"))
    eventually(lambda: applied(1))
    request("quiet")
    file.write_text(info)
    eventually(lambda: applied(2))
    request("loud-again")
    log = product.home / "logs" / "frontend-0.log"
    eventually(lambda: '"loud-again"' in log.read_text())
    assert '"loud"' in log.read_text()
    assert '"quiet"' not in log.read_text()


def test_a_signing_key_is_rotated_while_it_runs(product):
    """Added, it is published; named, it signs; sessions of the key before go on, and no process is replaced."""
    folder = product.home / "secrets" / "token-signing"
    before = processes(product)
    old = product.guest()
    (folder / "2.pem").write_bytes(signing_key())
    eventually(lambda: len(product.http.get("/.well-known/jwks.json").json()["keys"]) == 2)
    assert kid(product.guest()) == kid(old) == "1"
    (folder / "signing").write_text("2")
    eventually(lambda: kid(product.guest()) == "2")
    new = product.guest()
    eventually(lambda: new.read().status_code == 201, 90)  # the mesh asks for the keys once a minute, where it checks
    assert old.read().status_code == 201
    assert before.items() <= processes(product).items()


def kid(guest):
    return jwt.get_unverified_header(guest.token)["kid"]
