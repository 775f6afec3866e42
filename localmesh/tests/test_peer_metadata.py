"""Who is called knows which workload called, as Istio's metrics have it; and only Envoy's word counts for it."""

import asyncio
from collections import Counter
from dataclasses import replace

import grpc
import httpx
import pytest
import yaml
from envoys.bench import free_port, grpc_replica
from envoys.http1 import Backend, eventually, get
from envoys.secured import policy, secured
from prometheus_client.parser import text_string_to_metric_families

from localmesh.mesh import Address
from localmesh.metrics_page import PATH

METRICS = policy("Telemetry", "{metrics: [{providers: [{name: prometheus}]}]}", group="telemetry")
MODES = {
    mode: policy("PeerAuthentication", f"{{mtls: {{mode: {mode}}}}}") for mode in ("STRICT", "PERMISSIVE", "DISABLE")
}
PEER = "x-envoy-peer-metadata-"
FORGED = {f"{PEER}source-workload": "mallory", f"{PEER}source-app": "mallory"}
EDGE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: demo}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
  - match: [{uri: {prefix: /bank}}]
    route: [{destination: {host: bank.example.com}}]
  - route: [{destination: {host: model, port: {number: 8080}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: demo}
spec:
  hosts: [bank.example.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: localhost, ports: {http: PORT}}]
"""


async def callers(bench):
    """How many calls of whom who is called has counted: (workload, app) → number."""
    async with httpx.AsyncClient(base_url=f"http://{bench.metrics_address}", trust_env=False) as client:
        families = text_string_to_metric_families((await client.get(PATH)).text)
    samples = [one for family in families for one in family.samples if one.name == "istio_requests_total"]
    theirs = [one for one in samples if one.labels["reporter"] == "destination"]
    found = Counter()
    for one in theirs:
        found[one.labels["source_workload"], one.labels["source_app"]] += int(one.value)
    return found


async def counted(bench, before, count):
    """What was counted since `before`, once it is so many calls."""

    async def enough():
        return ((await callers(bench)) - before).total() >= count

    await eventually(enough, 30)
    return (await callers(bench)) - before


def told(requests):
    """What a process was told of its caller."""
    return [name for request in requests for name in request.headers if name.startswith(PEER)]


@pytest.mark.parametrize("mode", MODES)
def test_who_is_called_counts_by_the_callers_workload(bench, authority, mode):
    """Two workloads and the edge call; each is told apart, with mTLS and without, whatever a caller claims."""

    async def scenario():
        async with Backend("a") as a, Backend("bank") as bank:
            edge = yaml.safe_load_all(EDGE.replace("PORT", str(bank.port)))
            async with secured(bench, authority, a, METRICS, MODES[mode], *edge):
                before = await callers(bench)
                for at in (bench.callers["web"], bench.callers["batch"], bench.edge):
                    assert (await get(at, headers=FORGED)).body == "a"
                assert (await get(bench.edge, "/bank")).body == "bank"
                return await counted(bench, before, 3), a.requests, bank.requests

    found, seen, outside = asyncio.run(scenario())
    assert found == {(name, name): 1 for name in ("web", "batch", "istio-ingressgateway")}
    assert told([*seen, *outside]) == []
    assert (len(seen), len(outside)) == (3, 1)


def test_a_grpc_call_is_counted_by_its_caller(bench, authority):
    """Over HTTP/2 as well; the service's own metadata is the caller's alone."""
    seen = []

    async def infer(_request, context):
        seen.append({name for name, _ in context.invocation_metadata()})
        return b""

    async def scenario():
        server = grpc.aio.server()
        handler = grpc.unary_unary_rpc_method_handler(infer)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("demo.Model", {"Infer": handler}),))
        at = grpc_replica(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        async with Backend("a") as a, secured(bench, authority, a) as mesh:
            inbound = {"grpc": Address("127.0.0.1", free_port())}
            mesh.mesh = replace(mesh.mesh, endpoints=(replace(at, inbound=inbound, numbers={"grpc": 9090}),))
            await mesh.apply(METRICS, MODES["STRICT"])
            before = await callers(bench)
            async with grpc.aio.insecure_channel(f"127.0.0.1:{bench.grpc}") as channel:
                await channel.unary_unary("/demo.Model/Infer")(b"", timeout=5, metadata=tuple(FORGED.items()))
            found = await counted(bench, before, 1)
        await server.stop(None)
        return found

    assert asyncio.run(scenario()) == {("web", "web"): 1}
    assert [name for names in seen for name in names if name.startswith(PEER)] == []
    assert len(seen) == 1


@pytest.mark.parametrize(("mode", "said"), [("PERMISSIVE", "unknown"), ("DISABLE", "mallory")])
def test_who_comes_past_the_mesh_is_believed_only_where_nobody_has_certificates(bench, authority, mode, said):
    """Where the mesh's own calls are mTLS, plain text tells nothing of its caller; the process is told in no case."""

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, METRICS, MODES[mode]) as mesh:
            before = await callers(bench)
            assert (await get(mesh.inbound, headers=FORGED)).body == "a"
            return await counted(bench, before, 1), a.requests

    found, seen = asyncio.run(scenario())
    assert found == {(said, said): 1}
    assert (len(seen), told(seen)) == (1, [])


def test_without_metrics_nobody_is_told_of(bench, authority):
    """No header is added for what nobody counts."""

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, MODES["STRICT"]):
            await get(bench.callers["web"])
            return a.requests

    assert told(asyncio.run(scenario())) == []
