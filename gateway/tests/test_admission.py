"""More readings at once than a replica takes on."""

import asyncio

import httpx

from gateway.settings import LiveSettings
from runtime.errors import Code, Fault

BODY = {"pixels": [0] * 64}


def test_what_comes_on_top_is_refused_at_once_and_costs_nothing(client, monkeypatch):
    """503 with Retry-After while two are under way; once they are answered there is room, also after faults."""
    client.live.value = LiveSettings(readings_at_once=2)
    client.guest()

    async def scenario():
        asked, go_on, answer = asyncio.Semaphore(0), asyncio.Event(), client.model.read

        async def slowly(pixels):
            asked.release()
            await go_on.wait()
            return await answer(pixels)

        monkeypatch.setattr(client.model, "read", slowly)
        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inkmesh") as http:

            async def read(key):
                headers = {"authorization": f"Bearer {client.token}", "idempotency-key": key}
                return await http.post("/api/v1/predictions", headers=headers, json=BODY)

            under_way = [asyncio.create_task(read(f"k{number}")) for number in range(2)]
            for _ in under_way:
                await asked.acquire()
            refused = await read("k2")
            go_on.set()
            return refused, await asyncio.gather(*under_way), await read("k2")

    refused, answered, again = asyncio.run(scenario())
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/overloaded")
    assert refused.headers["retry-after"] == "1"
    assert [answer.status_code for answer in (*answered, again)] == [201] * 3
    monkeypatch.undo()
    client.model.fault = Fault(Code.UNAVAILABLE, "inference-unavailable", "inference cannot answer now.")
    failed = {client("POST", "/api/v1/predictions", key=f"f{number}", json=BODY).json()["type"] for number in range(4)}
    assert failed == {"/problems/inference-unavailable"}
    assert client("GET", "/api/v1/account").json()["balance"] == 17
