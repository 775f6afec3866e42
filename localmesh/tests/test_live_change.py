"""Changes while requests go on, in a real Envoy: none is lost, and a wrong change is none at all."""

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path

import pytest
from envoys.bench import SUBSETS, replica, routes, rule
from envoys.changes import changing
from envoys.http1 import Backend, eventually, get, load
from envoys.secured import policy

from localmesh.translate import Unsupported, translate
from localmesh.xds import Rejected

CHANGES = 20
TO = "[{route: [{destination: {host: model, subset: %s}}]}]"


@contextlib.asynccontextmanager
async def four_replicas(bench, authority):
    async with contextlib.AsyncExitStack() as stack:
        backends = [await stack.enter_async_context(Backend(name)) for name in "abcd"]
        yield await stack.enter_async_context(changing(bench, authority, backends, seed=5))


def test_random_changes_lose_no_request(bench, authority):
    """Weights, rules, endpoints and certificates change under load, one after the other."""

    async def scenario():
        async with four_replicas(bench, authority) as mesh:

            async def changes():
                for _ in range(CHANGES):
                    await mesh.change()

            return await load(bench.callers["web"], changes), mesh.counts

    answers, counts = asyncio.run(scenario())
    assert all(counts.values()), counts
    assert Counter(answer.status for answer in answers).keys() == {200}


def test_a_wrong_change_is_refused_as_a_whole_under_load(bench, authority):
    """By the translation or by Envoy: what was in force stays in force, whole, and no request fails."""
    unknown = policy("AuthorizationPolicy", "{rules: [{to: [{operation: {method: [GET]}}]}]}")
    # What only Envoy can know: that there is no such operator.
    unreadable = policy(
        "VirtualService",
        """
        hosts: [model]
        gateways: [mesh]
        http: [{headers: {request: {set: {x: "%NOPE%"}}}, route: [{destination: {host: model}}]}]
        """,
        name="aaa",
        group="networking",
    )

    async def scenario():
        async with four_replicas(bench, authority) as mesh:
            mesh.weight = 100
            await mesh.apply()

            async def changes():
                mesh.weight = 0
                with pytest.raises(Unsupported, match=r"AuthorizationPolicy demo/x: spec\.rules\[0\].*method"):
                    await mesh.apply(unknown)
                with pytest.raises(Rejected, match="NOPE"):
                    await mesh.apply(unreadable)

            answers = await load(bench.callers["web"], changes)
            return [*answers, await get(bench.callers["web"])]

    answers = asyncio.run(scenario())
    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers} <= {"a", "b"}


def test_replicas_come_and_go_without_a_lost_request(bench):
    """Under load a replica is added, hit, taken away, and hit no more; nobody notices."""

    async def scenario():
        async with Backend("a") as a, Backend("b") as b, bench.running([replica(a)]) as admin:

            async def more(backend):
                seen = len(backend.requests)
                await eventually(lambda: len(backend.requests) > seen + 16, 60)

            async def changes():
                for _ in range(10):
                    await bench.directory.apply(translate(bench.mesh([replica(a), replica(b)])), admin)
                    await more(b)
                    await bench.directory.apply(translate(bench.mesh([replica(a)])), admin)
                    # What was on its way to it arrives while each of the clients has asked again.
                    await more(a)
                    seen = len(b.requests)
                    await more(a)
                    assert len(b.requests) == seen

            return await load(bench.callers["web"], changes)

    assert {answer.status for answer in asyncio.run(scenario())} == {200}


def test_routes_and_clusters_change_without_a_lost_request(bench):
    """Under load scenarios follow each other: subsets come and go, limits change, weights turn round."""

    async def scenario():
        async with Backend("a") as a, Backend("b") as b:
            endpoints = [replica(a), replica(b, "v2")]
            one = routes("[{route: [{destination: {host: model, subset: v2}}]}]")
            meshes = [
                (),
                (rule(), one),
                (rule({"connectionPool": {"http": {"maxRetries": 5}}}), one),
                (rule(subsets=SUBSETS[1:]), one),
            ]

            async with bench.running(endpoints) as admin:

                async def changes():
                    for documents in meshes * 4:
                        await bench.directory.apply(translate(bench.mesh(endpoints, *documents)), admin)
                        await asyncio.sleep(0.03)

                return await load(bench.callers["web"], changes)

    answers = asyncio.run(scenario())
    assert answers
    assert {answer.status for answer in answers} == {200}


def test_what_envoy_refuses_changes_nothing(bench):
    """An operator that Envoy does not know is refused with its reason, and all else of that change with it."""

    async def scenario():
        async with Backend("a") as a, Backend("b") as b:
            endpoints = [replica(a), replica(b, "v2")]
            good = routes("[{route: [{destination: {host: model, subset: v1}}]}]")
            bad = routes("""
              - match: [{headers: {x: {exact: "y"}}}]
                headers: {request: {set: {x: "%NOPE%"}}}
                route: [{destination: {host: model, subset: v1}}]
              - route: [{destination: {host: model, subset: v2}}]
            """)
            limits = {"connectionPool": {"http": {"maxRetries": 7}}}
            async with bench.running(endpoints, rule(), good) as admin:
                with pytest.raises(Rejected, match="NOPE") as refused:
                    await bench.directory.apply(translate(bench.mesh(endpoints, rule(limits), bad)), admin)
                body = (await get(bench.callers["web"])).body
                held = json.dumps(await admin.config_dump())
        return refused.value, body, held

    refused, body, held = asyncio.run(scenario())
    assert len(refused.reasons) == 1
    assert body == "a"
    assert '"max_retries": 7' not in held


def answered_after_a_stop(bench, write):
    """Who answers once an Envoy that led to `a` goes on; `write(endpoints)` says what was written in the meantime."""

    async def scenario():
        async with Backend("a") as a, Backend("b") as b:
            endpoints = [replica(a), replica(b, "v2")]
            async with bench.running(endpoints, rule(), routes(TO % "v1")) as admin:
                with bench.stopped():
                    write(endpoints)
                await bench.directory.taken(admin, 60)
                return (await get(bench.callers["web"])).body

    return asyncio.run(scenario())


def test_an_envoy_that_is_late_has_what_was_written_last(bench):
    """It was stopped for many changes: it takes the last one."""

    def write(endpoints):
        for _ in range(50):
            bench.directory.write(translate(bench.mesh(endpoints)))
            bench.directory.write(translate(bench.mesh(endpoints, rule(), routes(TO % "v1"))))
        last = (rule(subsets=SUBSETS[1:]), routes(TO % "v2"))
        bench.directory.write(translate(bench.mesh(endpoints, *last)))

    assert answered_after_a_stop(bench, write) == "b"


def test_an_update_that_the_system_did_not_tell_is_made_good(bench):
    """Its queue for Envoy was full: what was renamed then is in force all the same."""

    def write(endpoints):
        fill_queue(bench.directory.path / "routes")
        bench.directory.write(translate(bench.mesh(endpoints, rule(), routes(TO % "v2"))))

    assert answered_after_a_stop(bench, write) == "b"


def fill_queue(folder):
    """As many notifications as the system keeps for one who does not listen; equal ones in a row are one."""
    most = Path("/proc/sys/fs/inotify/max_queued_events")
    if not most.exists() or int(most.read_text()) > 100_000:
        pytest.skip("the queue is not to be filled here")
    found = [folder / "full-0", folder / "full-1"]
    found[0].touch()
    for index in range(int(most.read_text()) + 10):
        found[index % 2].rename(found[1 - index % 2])
    for one in found:
        one.unlink(missing_ok=True)
