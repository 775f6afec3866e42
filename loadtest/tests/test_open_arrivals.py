"""What open arrivals promise. Locust patches the process that imports it, so each look is a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
BEGIN = """
import gevent.monkey
gevent.monkey.patch_all()
import argparse, json, sys, time
sys.path.insert(0, sys.argv[1])
from locust.env import Environment
"""
TOO_LATE = """
from users import Visitor
environment = Environment(parsed_options=argparse.Namespace(arrivals="open"), user_classes=[Visitor])
user, told, done = Visitor(environment), [], []
environment.events.request.add_listener(lambda **its: told.append(its))
for late in (0.0, 5.0):
    user._due = time.perf_counter() - late
    user.do(done.append)
user._under_way.join()
print(json.dumps({"done": len(done), "told": [(one["name"], repr(one["exception"])) for one in told]}))
"""
MANY_CONNECTIONS = """
import os, resource
from gevent.server import StreamServer
from http_client import Http
ANSWER = b"HTTP/1.1 503 Busy\\r\\nRetry-After: 1\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
connections, told = [], []
def serve(socket, address):
    connections.append(address)
    while socket.recv(4096):
        socket.sendall(ANSWER)
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
server = StreamServer(("127.0.0.1", 0), serve)
server.start()
environment = Environment()
environment.events.request.add_listener(lambda **its: told.append(its))
http = Http(f"http://127.0.0.1:{server.server_port}", environment.events.request)
answers = [http.send("POST", "/", "name", {}, b"{}", time.perf_counter() - 2) for _ in range(5)]
print(json.dumps({
    "connections": len(connections), "refused": [one.refused for one in answers],
    "told": sorted({(one["name"], type(one["exception"]).__name__, one["response_time"] >= 2000) for one in told}),
    "late": all(one["context"]["late"] >= 2000 for one in told),
}))
"""


def look(script):
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script, str(FOLDER)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_cannot_be_sent_in_time_is_dropped_and_told():
    """Not sent late, to wait with others where nobody sees it."""
    assert look(TOO_LATE) == {"done": 1, "told": [["not sent", "NotSent()"]]}


def test_connections_are_used_again_however_many_there_are():
    """Beyond 1,024 file descriptors too; times count from when a request was due, and how late it was sent is told."""
    assert look(MANY_CONNECTIONS) == {
        "connections": 1,
        "refused": [True] * 5,
        "told": [["name", "BadStatus", True]],
        "late": True,
    }


REFUSED_REPEAT = """
import http_client
from api import Api
from geventhttpclient.header import Headers
class Busy:
    balance = 20
    def send(self, method, path, *_, **__):
        if method == "GET":
            return http_client.Answer(200, Headers(), json.dumps({"balance": self.balance, "held": 0}).encode())
        return http_client.Answer(503, Headers({"retry-after": "1"}), b"{}")
http, said = Busy(), []
api = Api(http)
api.books.asked("unanswered", "/api/v1/predictions", b"{}")
said.append(api.close_books().value)
api = Api(http)
api.read([0] * 64)
said.append(api.close_books().value)
http.balance = 19
said.append(api.close_books().value)
print(json.dumps(said))
"""


def test_a_refused_repeat_decides_nothing():
    """What had no answer stays open; a request that is refused took nothing, unless the account says otherwise."""
    assert look(REFUSED_REPEAT) == ["unknown", "right", "unknown"]
