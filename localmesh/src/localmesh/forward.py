"""`forward`: a local port that leads to one replica of a service, past the mesh, as kubectl's port-forward."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from localmesh.addresses import LOOPBACK, can_bind, free_port
from localmesh.errors import LocalmeshError
from localmesh.mesh import Address

_CHUNK = 64 * 1024


def target(status: Mapping[str, Any], service: str, port: str) -> Address:
    """A ready replica's own address for `service` and the port named `port` (http or grpc). Raises LocalmeshError."""
    workloads = [one for one in status["workloads"] if service in (one["service"], one["name"])]
    if not workloads:
        names = sorted({one["service"] for one in status["workloads"] if one["service"]})
        raise LocalmeshError(f"there is no service `{service}`", f"There is: {', '.join(names)}.")
    name = {"8080": "http", "9090": "grpc"}.get(port, port)
    replicas = [replica for workload in workloads for replica in workload["replicas"] if replica["ready"]]
    for replica in replicas:
        if address := replica["own"].get(name):
            ip, _, number = address.rpartition(":")
            return Address(ip, int(number))
    why = f"{service} has no port `{port}`" if replicas else f"{service} has no ready replica"
    raise LocalmeshError(why, "Ports are http and grpc; see `status`.")


async def forward(to: Address, local: int | None, say: Callable[[Address], None]) -> None:
    """Pass connections on until cancelled. Without `local` the target's own port is taken, or a free one."""
    port = local or (to.port if can_bind(LOOPBACK, to.port) else free_port(LOOPBACK))
    try:
        server = await asyncio.start_server(lambda reader, writer: _connection(reader, writer, to), LOOPBACK, port)
    except OSError as error:
        raise LocalmeshError(f"port {port} cannot be used: {error.strerror}", "Take another LOCAL port.") from None
    say(Address(LOOPBACK, port))
    async with server:
        await server.serve_forever()


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Address) -> None:
    try:
        there, back = await asyncio.open_connection(to.ip, to.port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError):
        sink.close()
