"""One replica from its start to its end, with a real process and a mesh that is not there."""

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from localmesh.addresses import Addresses
from localmesh.manifests.model import Container, Deployment
from localmesh.process import Command
from localmesh.replica import Host, Replica

WAITS = ("-c", "import time; time.sleep(600)")


def test_a_replica_goes_once_envoy_knows(tmp_path):
    """It is not ready any more, and Envoy has taken that, before its process is told to end."""
    container = Container("web", (sys.executable, *WAITS))
    deployment = Deployment("web", "demo", {}, {}, 1, container, (), "default", 5, True, 1, False, Path("web.yaml"))
    command = Command((sys.executable, *WAITS), dict(os.environ), tmp_path, tmp_path / "log")
    told = []

    async def scenario():
        async def settled():
            told.append(("settled", replica.ready, replica.process.running))

        async def at_once(_):
            pass

        host = Host(
            launcher=SimpleNamespace(command=lambda *_: command, log=lambda _: command.log),
            addresses=Addresses(None),
            records=SimpleNamespace(add=lambda *_: None, remove=lambda *_: None),
            changed=lambda: told.append(("changed", replica.ready, True)),
            say=told.append,
            settled=settled,
            gate=at_once,
        )
        replica = Replica(host, deployment, 0)
        replica.start()
        await replica.wait_ready()
        process = replica.process
        await replica.stop()
        return process.running

    assert asyncio.run(scenario()) is False
    assert told == [("changed", True, True), ("changed", False, True), ("settled", False, True)]
