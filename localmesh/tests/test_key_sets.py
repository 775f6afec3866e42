"""Where the keys of tokens' issuers come from, and what happens while they cannot be had."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from envoys.http1 import Backend, eventually

from localmesh.key_sets import KeySets
from localmesh.mesh import Address

INSIDE = "http://istio-ingressgateway.istio-system.svc.cluster.local/.well-known/jwks.json"
ONE, TWO = (json.dumps({"keys": [{"kid": kid, "kty": "EC"}]}) for kid in "12")


@asynccontextmanager
async def following(backend, *urls, taken=True):
    changes = []

    async def changed():
        changes.append(dict(keys.found))
        return taken

    keys = KeySets(Address("127.0.0.1", backend.port), changed, lambda _: None, refresh=0.05)
    keys.follow(frozenset(urls))
    try:
        yield keys, changes
    finally:
        await keys.stop()


def test_the_ingress_name_leads_to_this_copys_ingress():
    """With the host that was asked for, so that the Gateway's routes act as on a cluster."""

    async def scenario():
        async with Backend(ONE) as issuer, following(issuer, INSIDE) as (keys, _):
            await keys.wait(5)
            return dict(keys.found), issuer.requests[0]

    found, request = asyncio.run(scenario())
    assert '"kid":"1"' in found[INSIDE]
    assert request.path == "/.well-known/jwks.json"
    assert request.headers["host"] == "istio-ingressgateway.istio-system.svc.cluster.local"


def test_keys_are_asked_for_until_they_are_there_and_then_again():
    """An issuer that is not up yet is tried again; other keys replace the old; a failure replaces nothing."""

    async def scenario():
        async with Backend(ONE, status=503) as issuer:
            url = f"http://127.0.0.1:{issuer.port}/keys"
            async with following(issuer, url) as (keys, changes):
                await eventually(lambda: len(issuer.requests) >= 2)
                before = dict(keys.found)
                issuer.status = 200
                await keys.wait(5)
                issuer.name = TWO
                await eventually(lambda: len(changes) == 2)
                issuer.status, seen = 500, len(issuer.requests)
                await eventually(lambda: len(issuer.requests) >= seen + 2)
                return before, changes, keys.found[url]

    before, changes, last = asyncio.run(scenario())
    assert before == {}
    assert len(changes) == 2
    assert '"kid":"2"' in last


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"keys": []}', '{"keys": "x"}', "x" * 300_000])
def test_what_is_no_key_set_is_not_taken(body):
    """Nor is one that is far too large."""

    async def scenario():
        async with Backend(body) as issuer, following(issuer, f"http://127.0.0.1:{issuer.port}/keys") as (keys, _):
            await eventually(lambda: len(issuer.requests) >= 2)
            return dict(keys.found)

    assert asyncio.run(scenario()) == {}


def test_keys_that_are_not_taken_are_forgotten():
    """They would keep every other change from being in force; they are offered again at the next look."""

    async def scenario():
        async with Backend(ONE) as issuer, following(issuer, INSIDE, taken=False) as (keys, changes):
            await eventually(lambda: len(changes) >= 2)
            return changes, dict(keys.found)

    changes, last = asyncio.run(scenario())
    assert all(INSIDE in change for change in changes)
    assert last == {}


def test_what_is_not_named_any_more_is_forgotten():
    """A RequestAuthentication that goes takes its keys with it."""

    async def scenario():
        async with Backend(ONE) as issuer, following(issuer, INSIDE) as (keys, _):
            await keys.wait(5)
            keys.follow(frozenset())
            return dict(keys.found)

    assert asyncio.run(scenario()) == {}
