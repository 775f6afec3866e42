"""Every replica and every way out gets an address that is its own."""

import os
import socket
import sys

import pytest

from localmesh.addresses import Addresses, can_bind, holder

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has 127.0.0.0/8")


@pytest.fixture
def claim():
    made = []

    def run(seed, **more):
        made.append(Addresses.claim(seed, **more))
        return made[-1]

    yield run
    for one in made:
        one.close()


@linux
def test_two_copies_have_different_blocks(claim):
    """Also when they look first at the same place; a block that was given back can be had again."""
    one, two = claim("seed"), claim("seed")
    assert one.block != two.block
    one.close()
    assert claim("seed").block == one.block


@linux
def test_replicas_have_addresses_of_their_own(claim):
    """An address is not given out again right after it was given back."""
    addresses = claim("replicas")
    found = [addresses.replica() for _ in range(300)]
    assert len(set(found)) == 300
    assert all(ip.startswith(f"127.{addresses.block}.") for ip in found)
    addresses.give_back(found[0])
    assert addresses.replica() not in found


@linux
def test_a_port_is_the_manifests_own_unless_it_is_taken(claim):
    """A stranger on the port of every address, or a privileged port, makes it another one."""
    addresses = claim("ports")
    ip = addresses.replica()
    assert addresses.address(ip, 8199).port == 8199
    with socket.create_server((ip, 8199)):
        other = addresses.address(ip, 8199)
        assert other.ip == ip
        assert other.port != 8199


def test_with_one_address_all_ports_differ(claim):
    """Where the system has 127.0.0.1 only, replicas and ways out share it."""
    addresses = claim("single", single=True)
    assert addresses.replica() == addresses.replica() == addresses.outbound(1, 2) == addresses.own() == "127.0.0.1"
    assert len({addresses.address("127.0.0.1", 8080).port for _ in range(20)}) == 20


def test_each_caller_and_service_has_its_own_way_out(claim):
    """No two pairs share an address."""
    addresses = claim("ways")
    if addresses.block is None:
        pytest.skip("this system has 127.0.0.1 only")
    assert len({addresses.outbound(caller, service) for caller in range(10) for service in range(10)}) == 100


def test_a_port_in_use_has_a_holder():
    """Who listens on a port is told by name and pid."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not can_bind("127.0.0.1", port)
        assert f"(pid {os.getpid()})" in holder(port)
    assert can_bind("127.0.0.1", port)
    assert holder(port) == ""
