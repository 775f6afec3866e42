"""What the supervisor asks of others: an answer, or one error that says why there is none."""

import asyncio
import contextlib

import pytest
from envoys.bench import free_port
from envoys.http1 import Backend

from localmesh.fetch import Unanswered, fetch


@contextlib.asynccontextmanager
async def saying(words):
    """Who connects gets these words, and nothing more until they leave."""
    left = asyncio.Event()

    async def say(reader, writer):
        writer.write(words)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        left.set()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            await left.wait()


def asked(words, within=5.0, most=100):
    async def scenario():
        async with saying(words) as url:
            return await fetch(url, within=within, most=most)

    return asyncio.run(scenario())


def test_an_answer_is_an_answer_whatever_its_status():
    """Path, query and headers arrive as they were given; nobody follows a redirect."""

    async def scenario():
        async with Backend("moved", status=302) as there:
            url = f"http://127.0.0.1:{there.port}/a%20b?c=d&e"
            return await fetch(url, headers={"host": "x.example"}, within=5, most=100), there.requests

    answer, (request,) = asyncio.run(scenario())
    assert (answer.status, answer.text) == (302, "moved")
    assert (request.path, request.headers["host"]) == ("/a%20b?c=d&e", "x.example")


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"])
def test_who_is_silent_does_not_keep_us(words):
    """Before the head as in the middle of a body."""
    with pytest.raises(Unanswered, match="timed out"):
        asked(words, within=0.1)


def test_what_is_not_http_is_no_answer():
    """Nor is a port where nobody listens."""
    with pytest.raises(Unanswered, match="SSH"):
        asked(b"SSH-2.0-x\r\n\r\n")
    with pytest.raises(Unanswered, match="refused"):
        asyncio.run(fetch(f"http://127.0.0.1:{free_port()}/", within=5, most=100))


def test_a_body_that_does_not_end_is_cut_off():
    """However long it says that it is."""
    with pytest.raises(ValueError, match="more than 100 bytes"):
        asked(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/", "http://", "a"])
def test_only_http_and_https_are_asked(url):
    """An address in somebody's YAML opens no file."""
    with pytest.raises(ValueError, match="no http or https address"):
        asyncio.run(fetch(url, within=5, most=100))
