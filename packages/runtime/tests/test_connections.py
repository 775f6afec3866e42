"""How an answer goes out."""

import asyncio

from runtime.connections import _Joining


class Transport:
    """Keeps what is written."""

    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)

    def close(self):
        self.written.append("closed")

    def get_extra_info(self, name):
        return f"the {name}"


def written(scenario):
    """What reaches the transport by then and in the end."""

    async def run():
        transport = Transport()
        joining = _Joining(transport, asyncio.get_running_loop())
        scenario(joining)
        now = list(transport.written)
        await asyncio.sleep(0)
        return now, transport.written

    return asyncio.run(run())


def test_head_and_body_are_one_write():
    """Also of a second answer; a body that goes on is written as it comes."""

    def scenario(joining):
        for body in (b"one", b"two"):
            joining.write(b"HTTP/1.1 200 OK\r\n\r\n")
            joining.write(body)
        joining.write(b"more")

    now, _ = written(scenario)
    assert now == [b"HTTP/1.1 200 OK\r\n\r\none", b"HTTP/1.1 200 OK\r\n\r\ntwo", b"more"]


def test_a_head_alone_waits_for_the_end_of_the_turn():
    """A stream's head is not kept until its first piece is there."""
    now, then = written(lambda joining: joining.write(b"HTTP/1.1 200 OK\r\n\r\n"))
    assert (now, then) == ([], [b"HTTP/1.1 200 OK\r\n\r\n"])


def test_nothing_is_lost_by_closing():
    """What was held back goes out first."""

    def scenario(joining):
        joining.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        joining.close()

    assert written(scenario)[0] == [b"HTTP/1.1 204 No Content\r\n\r\n", "closed"]


def test_the_rest_is_the_transports_own():
    """uvicorn asks it for addresses, pauses it, …"""
    seen = []
    written(lambda joining: seen.append(joining.get_extra_info("peername")))
    assert seen == ["the peername"]
