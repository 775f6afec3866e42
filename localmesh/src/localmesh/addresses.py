"""Addresses: on Linux 127.x.y.z for each replica and each caller's way out; elsewhere free ports of 127.0.0.1."""

from __future__ import annotations

import errno
import hashlib
import socket

from localmesh.errors import LocalmeshError
from localmesh.mesh import Address

LOOPBACK = "127.0.0.1"
_CLAIM_PORT = 45_679
_REPLICA_BLOCKS = range(1, 100)
_OUTBOUND_FIRST = 100


class Addresses:
    """Gives out addresses of one copy. Claim it once a copy, close it at the end."""

    def __init__(self, block: int | None, claim: socket.socket | None = None) -> None:
        """`block`: the x of 127.x.0.0/16, None where the system has 127.0.0.1 only."""
        self.block = block
        self._claim = claim
        self._next_replica = 0
        self._used: set[str] = set()
        self._ports: set[int] = set()

    @classmethod
    def claim(cls, seed: str, *, single: bool = False) -> Addresses:
        """A block that no other copy has: `seed` says where to look first, a bound socket keeps it ours.

        `single` asks for 127.0.0.1 and free ports, as on macOS.
        """
        first = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2], "big")
        for step in range(0 if single else 253):
            block = 1 + (first + step) % 253
            claim = socket.socket()
            try:
                claim.bind((f"127.{block}.0.1", _CLAIM_PORT))
            except OSError as error:
                claim.close()
                if error.errno == errno.EADDRNOTAVAIL:
                    break
            else:
                return cls(block, claim)
        return cls(None)

    def close(self) -> None:
        """Give the block back."""
        if self._claim is not None:
            self._claim.close()

    def replica(self) -> str:
        """An IP for one replica; not one that another has, nor one that was given back a moment ago."""
        if self.block is None:
            return LOOPBACK
        for _ in range(len(_REPLICA_BLOCKS) * 250):
            third, fourth = divmod(self._next_replica, 250)
            self._next_replica = (self._next_replica + 1) % (len(_REPLICA_BLOCKS) * 250)
            ip = f"127.{self.block}.{_REPLICA_BLOCKS[third]}.{fourth + 1}"
            if ip not in self._used:
                self._used.add(ip)
                return ip
        raise LocalmeshError("all addresses for replicas are in use", "Scale a workload down.")

    def give_back(self, ip: str) -> None:
        """The replica at `ip` is gone."""
        self._used.discard(ip)

    def outbound(self, caller: int, service: int) -> str:
        """The IP at which the caller of that number reaches the service of that number."""
        if self.block is None:
            return LOOPBACK
        return f"127.{self.block}.{_OUTBOUND_FIRST + caller % 150}.{1 + service % 254}"

    def own(self) -> str:
        """The IP of what belongs to the mesh itself (Envoy's admin interface)."""
        return LOOPBACK if self.block is None else f"127.{self.block}.0.2"

    def address(self, ip: str, port: int) -> Address:
        """`port` at `ip` where that is free, else a free port: taken by a stranger, privileged, or no port (0)."""
        if self.block is not None and port and can_bind(ip, port):
            return Address(ip, port)
        for _ in range(100):
            found = free_port(ip)
            if found not in self._ports or self.block is not None:
                self._ports.add(found)
                return Address(ip, found)
        raise LocalmeshError(f"there is no free port at {ip}", "Stop some programs that listen on this machine.")


def can_bind(ip: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError:
            return False
        return True


def free_port(ip: str) -> int:
    """A port at `ip` that nothing listens on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((ip, 0))
        port: int = probe.getsockname()[1]
        return port


def holder(port: int) -> str:
    """Who listens on `port` of this machine: `NAME (pid N)`, empty when the system does not tell."""
    import psutil

    for process in psutil.process_iter(["pid", "name"]):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        for connection in connections:
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                return f"{process.info['name']} (pid {process.info['pid']})"
    return ""
