"""The state folder of one copy: where everything is that outlives a call, and who runs it now."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LONGEST_SOCKET = 100
"""macOS takes 104 bytes in a Unix socket's path, Linux 108."""


class StateFolder:
    """Names of the files in a state folder; making them is up to who writes them."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist yet."""
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.volumes = self.path / "volumes"
        self.secrets = self.path / "secrets"
        self.xds = self.path / "envoy" / "xds"
        self.envoy_bootstrap = self.path / "envoy" / "bootstrap.json"
        self.processes = self.path / "processes.json"
        self.summary = self.path / "state.json"

    def create(self) -> None:
        """Make the folder, readable by its user alone: it holds secrets and logs."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.logs, self.volumes, self.secrets, self.xds):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(self, name: str) -> Path:
        """Where the replica or helper `name` logs."""
        return self.logs / f"{name}.log"

    @property
    def socket(self) -> Path:
        """The control socket: in the folder, or in a short folder of the system's where the path is too long."""
        inside = self.path / "control.sock"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"localmesh-{os.getuid()}-{digest}" / "control.sock"

    def write_json(self, path: Path, value: object) -> None:
        """Replace a file at once: a reader sees the old text or the new, never half of it."""
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)

    def read_json(self, path: Path) -> Any:  # noqa: ANN401 (JSON)
        """The file's value; None when it is not there or is damaged."""
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def running(self) -> Mapping[str, Any] | None:
        """What the running copy says of itself, only its `pid` while it starts or stops; None when nothing runs."""
        lock = Lock(self)
        if not lock.is_taken():
            return None
        pid = lock.owner()
        return self.read_json(self.summary) or ({"pid": pid} if pid else {})


class Lock:
    """At most one process holds the lock of a state folder; the system frees it when that process ends, however."""

    def __init__(self, state: StateFolder) -> None:
        self._path = state.path / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Whether it is ours now. The state folder must be there."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def is_taken(self) -> bool:
        """Whether another process holds it now."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def owner(self) -> int | None:
        """The pid of who holds it."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        """Free it; nothing happens when it is not ours."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
