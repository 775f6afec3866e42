"""Probes ask as a kubelet does."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from localmesh.manifests.model import Container, Probe
from localmesh.mesh import Address
from localmesh.probes import Prober, Unhealthy, ask


@asynccontextmanager
async def server(answers):
    """Serves each status of `answers` in turn, the last one for ever; None: nothing is answered."""
    asked, serving = [], set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            status = answers[min(len(asked), len(answers) - 1)]
            asked.append(request)
            if status is not None:
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
            else:
                await reader.read()
        except asyncio.IncompleteReadError:
            pass  # only a connection was asked for, or the prober left
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address(*listening.sockets[0].getsockname()), asked
    finally:
        listening.close()
        await listening.wait_closed()
        await asyncio.wait_for(asyncio.gather(*serving, return_exceptions=True), 5)


@pytest.mark.parametrize(("status", "expected"), [(200, True), (302, True), (399, True), (400, False), (503, False)])
def test_http_is_judged_by_its_status(status, expected):
    """200 to 399 is well. The path, the address and the manifest's headers are in the request."""

    async def run():
        async with server([status]) as (address, asked):
            probe = Probe("http", "/x", headers=(("a", "b"),))
            assert await ask(probe, address) is expected
            assert asked[0].startswith(f"GET /x HTTP/1.1\r\nhost: {address}\r\n".encode())
            assert b"\r\na: b\r\n" in asked[0]

    asyncio.run(run())


def test_silence_and_refusal_are_failures():
    """An answer that does not come within the timeout, or a port that nobody listens on."""

    async def run():
        async with server([None]) as (address, _):
            assert not await ask(Probe("http", "/", timeout=0.05), address)
            assert await ask(Probe("http", None), address)
        assert not await ask(Probe("http", None), address)
        assert not await ask(Probe("http", "/"), address)

    asyncio.run(run())


def test_readiness_follows_the_thresholds():
    """Ready at the first success; not ready after as many failures in a row as the manifest says; ready again."""

    async def run():
        changes = asyncio.Queue()
        async with server([503, 503, 200, 503, 200, 503, 503, 200]) as (address, asked):
            probe = Probe("http", "/", period=0.01, failure_threshold=2)
            prober = Prober(Container("a", (), readiness=probe), {"http": address}, changes.put_nowait)
            task = asyncio.create_task(prober.run())
            async with asyncio.timeout(5):
                assert await changes.get() is True
                assert len(asked) == 3
                assert await changes.get() is False
                assert len(asked) == 7
                assert await changes.get() is True
            task.cancel()

    asyncio.run(run())


def test_a_liveness_probe_that_fails_often_enough_ends_the_probing():
    """A success in between counts the failures anew."""

    async def run():
        async with server([200, 503, 200, 503, 503]) as (address, asked):
            probe = Probe("http", "/", period=0.01, failure_threshold=2)
            with pytest.raises(Unhealthy, match="liveness"):
                await Prober(Container("a", (), liveness=probe), {"http": address}, lambda _: None).run()
            assert len(asked) == 5

    asyncio.run(run())


def test_a_startup_probe_holds_the_others_back_and_can_fail():
    """Nothing is ready before it succeeds, and it has as long as period times threshold."""

    async def run():
        changes = []
        async with server([503]) as (address, _):
            startup = Probe("http", "/", period=0.05, failure_threshold=2)
            prober = Prober(Container("a", (), startup=startup, readiness=startup), {"http": address}, changes.append)
            with pytest.raises(Unhealthy, match="startup"):
                await prober.run()
        assert changes == []

    asyncio.run(run())


def test_without_a_probe_a_replica_is_ready_at_once_and_stays_so():
    """As on a cluster; there is nothing that could end the probing."""

    async def run():
        changes, ready = [], asyncio.Event()

        def on_ready(now):
            changes.append(now)
            ready.set()

        probing = asyncio.create_task(Prober(Container("a", ()), {}, on_ready).run())
        await ready.wait()
        done, _ = await asyncio.wait([probing], timeout=0.1)
        probing.cancel()
        assert (changes, done) == ([True], set())

    asyncio.run(run())
