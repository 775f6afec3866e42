"""What the translation does to requests, seen in a real Envoy between backends of this process."""

import asyncio
import time
from collections import Counter

from envoys.bench import replica, routes, rule
from envoys.http1 import Backend, Client, eventually, get


def test_weights_split_requests(bench):
    """A split of 90 to 10 is one, within what chance allows."""

    async def scenario():
        async with Backend("a") as a, Backend("b") as b:
            split = routes("""
              - route:
                - {destination: {host: model, subset: v1}, weight: 90}
                - {destination: {host: model, subset: v2}, weight: 10}
            """)
            async with (
                bench.running([replica(a), replica(b, "v2")], rule(), split),
                Client(bench.callers["web"]) as web,
            ):
                return Counter([(await web.get()).body for _ in range(1000)])

    bodies = asyncio.run(scenario())
    assert bodies.total() == 1000
    assert 60 <= bodies["b"] <= 145


def test_matches_choose_the_version(bench):
    """A header or a cookie sends a caller to v2, and the source's labels another caller; the rest stays on v1."""

    async def scenario():
        async with Backend("a") as a, Backend("b") as b:
            cohort = routes(r"""
              - match:
                - headers: {x-cohort: {exact: beta}}
                - headers: {cookie: {regex: "^(.*;\\s*)?cohort=beta(;.*)?$"}}
                - sourceLabels: {app: batch}
                route: [{destination: {host: model, subset: v2}}]
              - route: [{destination: {host: model, subset: v1}}]
            """)
            async with bench.running([replica(a), replica(b, "v2")], rule(), cohort):
                web, batch = bench.callers["web"], bench.callers["batch"]
                plain = await get(web)
                header = await get(web, headers={"x-cohort": "beta"})
                cookie = await get(web, headers={"cookie": "a=b; cohort=beta"})
                wrong = await get(web, headers={"cookie": "cohort=beta2"})
                other = await get(batch)
                return [answer.body for answer in (plain, header, cookie, wrong, other)]

    assert asyncio.run(scenario()) == ["a", "b", "b", "a", "b"]


def test_a_fault_aborts_and_delays(bench):
    """An abort never reaches the service; a delay does, later. Envoy's counters show both."""

    async def scenario():
        async with Backend("a") as a:
            fault = routes("""
              - match: [{uri: {prefix: /abort}}]
                fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
                route: [{destination: {host: model}}]
              - fault: {delay: {fixedDelay: 200ms, percentage: {value: 100}}}
                route: [{destination: {host: model}}]
            """)
            async with bench.running([replica(a)], fault) as admin:
                aborted = await get(bench.callers["web"], "/abort")
                began = time.monotonic()
                delayed = await get(bench.callers["web"])
                took = time.monotonic() - began
                stats = await admin.stats("http.web.*fault")
        return aborted, delayed, took, stats, a.requests

    aborted, delayed, took, stats, seen = asyncio.run(scenario())
    assert (aborted.status, delayed.status) == (418, 200)
    assert took >= 0.15
    assert len(seen) == 1
    assert sum(count for name, count in stats.items() if name.endswith("aborts_injected")) == 1
    assert sum(count for name, count in stats.items() if name.endswith("delays_injected")) == 1


def test_a_retry_goes_elsewhere_and_is_counted(bench):
    """A failing replica's request is tried on the other one, which is told how many attempts came before."""

    async def scenario():
        async with Backend("sick", status=503) as sick, Backend("well") as well:
            retry = routes("""
              - retries: {attempts: 5, retryOn: 5xx}
                route: [{destination: {host: model}}]
            """)
            async with bench.running([replica(sick), replica(well)], retry), Client(bench.callers["web"]) as web:
                answers = [await web.get() for _ in range(20)]
        return answers, sick.requests, well.requests

    answers, sick, well = asyncio.run(scenario())
    assert {(answer.status, answer.body) for answer in answers} == {(200, "well")}
    assert sick
    assert sum(int(request.headers["x-envoy-attempt-count"]) - 1 for request in well) == len(sick)


def test_no_attempts_means_no_retry(bench):
    """With attempts: 0 the caller sees each error, and each replica each request once."""

    async def scenario():
        async with Backend("sick", status=503) as sick:
            off = routes("[{retries: {attempts: 0}, route: [{destination: {host: model}}]}]")
            async with bench.running([replica(sick)], off):
                answer = await get(bench.callers["web"])
        return answer.status, len(sick.requests)

    assert asyncio.run(scenario()) == (503, 1)


def test_a_mirror_copies(bench):
    """The mirror gets each request, its errors hurt nobody, and the host stays as it was."""

    async def scenario():
        async with Backend("a") as a, Backend("shadow", status=500) as shadow:
            mirror = routes("""
              - route: [{destination: {host: model, subset: v1}}]
                mirror: {host: model, subset: v2}
            """)
            endpoints = [replica(a), replica(shadow, "v2")]
            async with bench.running(endpoints, rule(), mirror), Client(bench.callers["web"]) as web:
                answers = [await web.get("/x", {"host": "model"}) for _ in range(10)]

                async def copied():
                    return len(shadow.requests) == 10

                await eventually(copied)
        return answers, shadow.requests

    answers, copies = asyncio.run(scenario())
    assert {(answer.status, answer.body) for answer in answers} == {(200, "a")}
    assert {(copy.path, copy.headers["host"]) for copy in copies} == {("/x", "model")}


def test_a_sick_replica_is_ejected_after_exactly_three_errors(bench):
    """Three errors in a row and no fourth; healed, it is back after its time."""
    policy = {
        "outlierDetection": {
            "consecutive5xxErrors": 3,
            "interval": "100ms",
            "baseEjectionTime": "1500ms",
            "maxEjectionPercent": 100,
        }
    }
    off = routes("[{retries: {attempts: 0}, route: [{destination: {host: model}}]}]")

    async def scenario():
        async with Backend("sick", status=500) as sick, Backend("well") as well:
            endpoints = [replica(sick), replica(well)]
            async with bench.running(endpoints, rule(policy), off) as admin, Client(bench.callers["web"]) as web:
                answers = []
                for _ in range(30):
                    answers.append(await web.get())
                    # Envoy's threads tell each other of an ejection: a request in the next microsecond is too early.
                    await asyncio.sleep(0.01)
                errors = sum(answer.status == 500 for answer in answers)
                active = await admin.stats("web.*ejections_active")
                sick.status = 200
                before = len(sick.requests)

                async def back():
                    await web.get()
                    return len(sick.requests) > before

                await eventually(back)
        return errors, active, before

    errors, active, seen = asyncio.run(scenario())
    assert (errors, seen) == (3, 3)
    assert sum(active.values()) == 1


def test_a_full_pool_refuses_at_once(bench):
    """One connection and one that waits: of ten at once two are served, eight are 503 with Envoy's word for it."""
    policy = {"connectionPool": {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}}

    async def scenario():
        async with Backend("slow") as slow, bench.running([replica(slow)], rule(policy)) as admin:
            web = bench.callers["web"]
            # The one connection is made first: a request that waits for it to be made waits as well.
            await get(web)
            slow.delay = 0.3
            answers = await asyncio.gather(*(get(web) for _ in range(10)))
            stats = await admin.stats(r"cluster\.web.*upstream_rq_pending_overflow")

            async def logged():
                mine = [one for one in bench.access_log() if one["authority"] == f"127.0.0.1:{web}"]
                return [one["response_flags"] for one in mine].count("UO") == 8

            await eventually(logged)
        return answers, stats

    answers, stats = asyncio.run(scenario())
    assert Counter(answer.status for answer in answers) == {200: 2, 503: 8}
    assert all(answer.headers["x-envoy-overloaded"] == "true" for answer in answers if answer.status == 503)
    assert max(stats.values()) == 8


def test_callers_do_not_share_a_breaker(bench):
    """One caller's full pool is not another's, as with a sidecar each."""
    policy = {"connectionPool": {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}}

    async def scenario():
        async with Backend("slow", delay=0.3) as slow, bench.running([replica(slow)], rule(policy)):
            flood = [get(bench.callers["web"]) for _ in range(6)]
            return (await asyncio.gather(get(bench.callers["batch"]), *flood))[0].status

    assert asyncio.run(scenario()) == 200


def test_a_hash_keeps_a_caller_on_one_replica(bench):
    """Requests with one value of the header go to one replica, those with others to all."""
    policy = {"loadBalancer": {"consistentHash": {"httpHeaderName": "x-account"}}}

    async def scenario():
        async with Backend("a") as a, Backend("b") as b, Backend("c") as c:
            endpoints = [replica(one) for one in (a, b, c)]
            async with bench.running(endpoints, rule(policy)), Client(bench.callers["web"]) as web:
                same = {(await web.get(headers={"x-account": "one"})).body for _ in range(30)}
                others = {(await web.get(headers={"x-account": str(number)})).body for number in range(60)}
        return same, others

    same, others = asyncio.run(scenario())
    assert len(same) == 1
    assert others == {"a", "b", "c"}
