"""A ledger in one of the two databases, and the processes of payment that serve it: started, killed, asked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
from postgres_server import Server

from payment.ledger.stores import is_address

FAULTY = Path(__file__).with_name("faulty.py")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


class Replica:
    """One process of payment on ports of its own, the same after each restart."""

    def __init__(self, address: str, folder: Path, number: int) -> None:
        self.http, self.grpc = free_port(), free_port()
        live = folder / "live"
        live.mkdir(exist_ok=True)
        (live / "log_level").write_text("error")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("PAYMENT_")} | {
            "PAYMENT_DATABASE": address,
            "PAYMENT_INFERENCE_URL": "http://127.0.0.1:1",  # nobody is there: rules decide
            "PAYMENT_HTTP_PORT": str(self.http),
            "PAYMENT_GRPC_PORT": str(self.grpc),
            "PAYMENT_REPLICA": f"payment-{number}",
            "PAYMENT_LIVE": str(live),
        }
        self._log = folder / f"payment-{number}.log"
        self.process: subprocess.Popen | None = None

    def start(self, point: str = "", seconds: float = 300) -> bool:
        """Start it; whether it became ready. One with a point may die before."""
        with self._log.open("ab") as log:
            words = [sys.executable, FAULTY, *([point] if point else [])]
            self.process = subprocess.Popen(words, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                assert point, f"payment did not start: {self._log.read_text()[-2000:]}"
                return False
            if self.ready():
                return True
            time.sleep(0.02)  # between two looks; the deadline above bounds them
        raise AssertionError(f"payment was not ready in {seconds} s: {self._log.read_text()[-2000:]}")

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/healthz/ready", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def close(self) -> None:
        """SIGTERM; it must leave in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30) == 0, "payment did not leave in order"


class Books:
    """The ledger itself, past everybody who serves it. `address`: PAYMENT_DATABASE."""

    address: str

    def audit(self) -> str:
        """What `python -m payment audit` says; its exit code must be 0."""
        words = [sys.executable, "-m", "payment", "audit"]
        environment = os.environ | {"PAYMENT_DATABASE": self.address}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def sql(self, query: str) -> list[tuple]:
        """Ask the database."""
        connect = psycopg.connect if is_address(self.address) else sqlite3.connect
        with contextlib.closing(connect(self.address)) as connection:
            return connection.execute(query).fetchall()


class Stage(Books):
    """`kind` sqlite: one replica on a file. postgres: two replicas on a server of their own."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._stack = contextlib.ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        self.server: Server | None = None
        self.replicas: list[Replica] = []

    def __enter__(self) -> Stage:
        if self.kind == "postgres":
            self.server = self._stack.enter_context(contextlib.closing(Server()))
            self.address = self.server.new_ledger()
        else:
            self.address = str(self.folder / "payment.sqlite3")
        self.replicas = [Replica(self.address, self.folder, number) for number in range(2 if self.server else 1)]
        for replica in self.replicas:
            replica.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._stack:
            for replica in self.replicas:
                if error[0] is None:
                    replica.close()
                elif replica.process is not None and replica.process.poll() is None:
                    replica.kill()
