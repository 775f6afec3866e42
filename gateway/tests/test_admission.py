"""More readings at once than a replica takes on."""

import asyncio

import httpx

from gateway.admission import LEAST, Admission
from gateway.settings import LiveSettings
from runtime.errors import Code, Fault
from runtime.live import Live

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


class Crowd:
    """Always more readings than are let in, to services that answer so many a second."""

    def __init__(self):
        self.now = 0.0
        self.admission = Admission(Live(LiveSettings(readings_at_once=256, reading_seconds=0.5)), lambda: self.now)

    def let_in(self, per_second):
        """How many came in before one was refused; then all are answered."""
        began = []
        try:
            while True:
                began.append(self.admission.enter())
        except Fault:
            self.now += len(began) / per_second
        for one in began:
            self.admission.leave(one)
        return len(began)


def test_no_more_are_let_in_than_are_answered_in_time():
    """Half a second of work, on a slow machine and on a fast one; and all of them again when it is quick again."""
    crowd = Crowd()
    assert crowd.let_in(60) == 256
    assert 20 <= [crowd.let_in(60) for _ in range(20)][-1] <= 40
    assert 80 <= [crowd.let_in(200) for _ in range(40)][-1] <= 130
    assert [crowd.let_in(5000) for _ in range(60)][-1] == 256


def test_some_are_always_let_in():
    """Each takes a minute, whatever their number: that is no overload."""
    crowd = Crowd()
    for _ in range(20):
        let_in = crowd.let_in(1 / 60)
    assert let_in == LEAST
