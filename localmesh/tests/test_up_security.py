"""Policies in a product that runs: in force from the start or put in force by an edit, without a lost request."""

import http.client
import json
import os
import signal
import socket
import ssl
import urllib.error
import urllib.request

import grpc
import psutil
import pytest
from checkouts import Load, eventually
from checkouts.manifests import deployment, service

from localmesh.forward import target

POLICIES = """\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: edge}
spec:
  rules:
    - from: [{source: {principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]}}]
      to: [{operation: {ports: ["8080"], notPaths: [/admin]}}]
"""
METRICS = """\
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: metrics}
spec: {metrics: [{providers: [{name: prometheus}]}]}
"""
WITH, WITHOUT = (f"namespace: demo\nresources: [ingress.yaml{one}]\n" for one in (", policies.yaml", ""))
BASE = "istio/base/kustomization.yaml"


def status(url):
    """What is answered there, None when the connection is closed instead."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return None


@pytest.mark.parametrize("single", ["0", "1"])
def test_a_replica_is_reached_through_the_mesh_alone(new_checkout, single):
    """The edge's principal and path decide; plain text to where `status` says that it is gets no answer.

    The process itself is at a port that the manifest does not have; `forward` leads there, as kubectl's port-forward.
    """
    demo = new_checkout(replicas=1)
    demo.write("istio/base/policies.yaml", POLICIES)
    demo.write(BASE, WITH)
    demo.up(LOCALMESH_SINGLE_ADDRESS=single)
    (replica,) = demo.replicas()
    assert demo.get()["replica"] == "web-0"
    assert status(f"http://127.0.0.1:{demo.port}/admin") == 403
    assert status(f"http://{replica['http']}/") is None
    assert status(f"http://{target(demo.status(), 'web', 'http')}/") == 200
    if single == "0":
        assert replica["http"].endswith(":8080")


@pytest.mark.parametrize("single", ["0", "1"])
def test_nothing_listens_beyond_this_machine(new_checkout, single):
    """Envoy and the process itself, at the port that `own` says: all on loopback."""
    demo = new_checkout(replicas=1)
    demo.write("istio/base/policies.yaml", POLICIES)
    demo.write(BASE, WITH)
    demo.up(LOCALMESH_SINGLE_ADDRESS=single)
    sockets = [one for process in demo.processes() for one in process.net_connections("inet")]
    listening = {f"{one.laddr.ip}:{one.laddr.port}" for one in sockets if one.status == psutil.CONN_LISTEN}
    (replica,) = demo.replicas()
    assert {replica["own"]["http"], replica["http"], f"127.0.0.1:{demo.port}"} <= listening
    assert [address for address in listening if not address.startswith("127.")] == []


def test_a_grpc_port_is_reached_through_the_mesh_alone(new_checkout):
    """Neither plain HTTP/2 nor TLS without a certificate of the mesh gets an answer."""
    demo = new_checkout(replicas=1)
    web = deployment("web", 1) + service("web")
    web = web.replace("containerPort: 8080}", "containerPort: 8080}, {name: grpc, containerPort: 9090}")
    web = web.replace("targetPort: http}", "targetPort: http}, {name: grpc, port: 9090, targetPort: grpc}")
    demo.write("k8s/overlays/laptop/web.yaml", web)
    demo.write("istio/base/policies.yaml", POLICIES)
    demo.write(BASE, WITH)
    demo.up()
    (replica,) = demo.replicas()
    with grpc.insecure_channel(replica["grpc"]) as plain, pytest.raises(grpc.RpcError) as refused:
        plain.unary_unary("/any.Service/Method")(b"", timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    ip, _, port = replica["grpc"].rpartition(":")
    with pytest.raises(OSError, match=r"certificate required|reset|closed|EOF"):
        call_with_tls(ip, int(port))


def call_with_tls(ip, port):
    """As a stranger that has no certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((ip, port), 5) as raw, context.wrap_socket(raw) as secured:
        secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        secured.recv(1)


def test_policies_come_and_go_without_a_lost_request(new_checkout):
    """Under load they and metrics are added by an edit, replicas are replaced and scaled, and all is removed again."""
    demo = new_checkout()
    demo.write("istio/base/policies.yaml", POLICIES + METRICS)
    demo.up()
    admin = f"http://127.0.0.1:{demo.port}/admin"
    assert status(admin) == 200
    with Load(demo) as load:
        demo.write(BASE, WITH)
        eventually(lambda: status(admin) == 403)
        demo.run("restart", "web")
        demo.run("scale", "web", "3")
        demo.run("scale", "web", "1")
        demo.write(BASE, WITHOUT)
        eventually(lambda: status(admin) == 200)
    assert load.failures == []
    (replica,) = demo.replicas()
    assert json.loads(urllib.request.urlopen(f"http://{replica['http']}/", timeout=5).read())["pid"] == replica["pid"]


def test_envoy_that_crashed_has_its_certificates_again(new_checkout):
    """Killed, it is back with what was in force: policies, and calls by mTLS."""
    demo = new_checkout(replicas=1)
    demo.write("istio/base/policies.yaml", POLICIES)
    demo.write(BASE, WITH)
    demo.up()
    pid = demo.status()["envoy"]["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: demo.status()["envoy"]["restarts"] == 1 and status(f"http://127.0.0.1:{demo.port}/") == 200, 20)
    assert status(f"http://127.0.0.1:{demo.port}/admin") == 403
