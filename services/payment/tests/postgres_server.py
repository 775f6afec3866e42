"""A PostgreSQL server of one's own in a temporary folder, with fsync on: started, killed, stopped, asked."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg

from payment.migrating import migrate
from payment.migrations import HEAD, scripts

_BECOME = """
import os, sys
os.setgroups([]), os.setgid(int(sys.argv[2])), os.setuid(int(sys.argv[1]))
os.execv(sys.argv[3], sys.argv[3:])
"""

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def binaries() -> Path | None:
    """The folder of `postgres` and `initdb`: the PATH's, or Debian's, which are not on it."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    return DEBIAN[-1].parent if DEBIAN else None


class Server:
    """One server on a Unix socket, as an unprivileged user (root may not run it)."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._bin = binaries()
        self._as: list[object] = []
        if os.getuid() == 0:
            user = next(entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            # Not Popen's `user`: that makes Python fork, and a process with gRPC's threads must not.
            self._as = [sys.executable, "-c", _BECOME, user.pw_uid, user.pw_gid]
        self._call("initdb", "-D", self.folder / "data", "-U", "payment", "-A", "trust", "-E", "UTF8", "--no-locale")
        self._process: subprocess.Popen | None = None
        self._numbers = itertools.count()
        self._ledger: str | None = None
        self.start()

    def start(self, seconds: float = 120) -> None:
        """Start it, and return when it answers."""
        words = ["-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses=", "-c", "max_connections=60"]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(self._words("postgres", *words), stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.address("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
                time.sleep(0.02)  # between two looks; the deadline above bounds them

    def stop(self, mode: str = "immediate") -> None:
        """`pg_ctl stop`: immediate is a crash, fast is in order."""
        self._call("pg_ctl", "stop", "-D", self.folder / "data", "-m", mode, "-w", "-t", "60")
        self._process.wait(60)

    def signal(self, number: int) -> None:
        """Send a signal to the server and all its processes."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in [*map(int, children), self._process.pid]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def close(self) -> None:
        """Stop it for good and delete its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str) -> str:
        """As PAYMENT_DATABASE has it."""
        return f"postgresql://payment@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"ledger_{next(self._numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.address(name)

    def new_ledger(self) -> str:
        """The address of a database with an empty ledger in it: the same one each time, as new."""
        if self._ledger is None:
            self._ledger = self.new_database()
            migrate(self._ledger, "", "head", 10)
        else:
            with closing(psycopg.connect(self._ledger)) as connection, connection:
                connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                connection.execute("".join(scripts()))
                connection.execute(f"CREATE TABLE alembic_version AS SELECT '{HEAD}' AS version_num")
        return self._ledger

    def sql(self, database: str, statement: str) -> None:
        """Run one statement in a database of this server."""
        with closing(psycopg.connect(self.address(database), autocommit=True)) as connection:
            connection.execute(statement)

    def _call(self, program: str, *words: object) -> None:
        subprocess.run(self._words(program, *words), check=True, capture_output=True, timeout=120, cwd="/")

    def _words(self, program: str, *words: object) -> list[str]:
        return [str(word) for word in (*self._as, self._bin / program, *words)]
