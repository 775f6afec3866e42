"""How services are found: by name, by endpoints, and from outside by NodePort, Ingress and LoadBalancer."""

import json

import httpx
import pytest

from kube import get, kubectl
from product import ROOT, Guest, eventually

LOOK_UP = "import json, socket, sys; print(json.dumps(sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 0)})))"
PLAIN = ROOT / "tests" / "cluster" / "plain"


def test_a_services_name_is_its_address(product):
    """From within a pod, `payment` is the Service's cluster IP."""
    (gateway, *_) = product.replicas("gateway")
    for service in get("services"):
        name, address = service["metadata"]["name"], service["spec"]["clusterIP"]
        if address != "None":
            found = kubectl("exec", gateway["name"], "-c", "gateway", "--", "python", "-c", LOOK_UP, name)
            assert json.loads(found) == [address]


def test_endpoints_are_the_ready_replicas(product):
    """A service's endpoint slices name exactly its ready pods, and follow when one goes."""

    def endpoints():
        slices = get("endpointslices", "-l", "kubernetes.io/service-name=inference")
        ends = [end for one in slices for end in one["endpoints"] if end["conditions"]["ready"]]
        return {address for end in ends for address in end["addresses"]}

    def replicas():
        every = [one for version in ("v1", "v2", "v3") for one in product.replicas(f"inference-{version}")]
        return {one["ip"] for one in every if one["ready"]}

    eventually(lambda: endpoints() == replicas() and len(replicas()) == 4, 30)
    gone = product.replicas("inference-v3")[0]
    kubectl("delete", "pod", gone["name"], "--wait=false")
    eventually(lambda: gone["ip"] not in endpoints(), 30)
    eventually(lambda: endpoints() == replicas() and len(replicas()) == 4, 60)


def test_a_node_port_reaches_the_ingress(product):
    """The component's port on a node's own address serves the page."""
    (service,) = get("services", "-l", "app.kubernetes.io/part-of=inkmesh", namespace="istio-system")
    (port,) = [one["nodePort"] for one in service["spec"]["ports"]]
    addresses = [
        address["address"]
        for node in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP"
    ]
    # With externalTrafficPolicy Local, the nodes where the ingress runs.
    eventually(lambda: any(_serves(f"http://{address}:{port}/") for address in addresses), 20)


def _serves(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3).status_code == 200
    except httpx.TransportError:
        return False


def test_the_load_balancer_is_rendered():
    """The component asks the cloud for one, before the ingress."""
    rendered = kubectl("kustomize", str(ROOT / "k8s" / "components" / "load-balancer"), check=False)
    assert "type: LoadBalancer" in rendered


@pytest.fixture
def plain(product):
    """The overlay without a mesh, in a namespace of its own, with Istio's gateway as the Ingress controller."""
    kubectl("apply", "-k", str(PLAIN), namespace="")
    try:
        for workload in ("frontend", "gateway", "payment", "inference-v1"):
            kubectl("rollout", "status", f"deployment/{workload}", "--timeout=150s", namespace="inkmesh-plain")
        with httpx.Client(base_url=product.url, headers={"host": "plain.inkmesh.test"}, timeout=30) as http:
            yield http
    finally:
        kubectl("delete", "-k", str(PLAIN), "--ignore-not-found", "--wait=false", namespace="")


def test_without_a_mesh_an_ingress_serves_the_whole_product(plain):
    """`kubectl apply -k k8s/overlays/plain`, and a digit is read and paid for."""
    eventually(lambda: plain.get("/").status_code == 200, 60)
    session = eventually(lambda: (answer := plain.post("/api/v1/sessions")).status_code == 201 and answer.json(), 60)
    guest = Guest(plain, session["token"], session["account_id"])
    assert guest.read().json()["label"] == 7
    assert guest.account()["balance"] == 19
