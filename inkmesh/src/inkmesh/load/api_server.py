"""A Kubernetes API server, asked by HTTP through `kubectl proxy`, which knows all that a kubeconfig can say."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

_START_SECONDS = 10.0
_DEADLINE_SECONDS = 5.0


class ApiServer:
    """One `kubectl proxy`, on a socket that nobody else can open; started by the first question."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="inkmesh-kubectl-")
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._http: httpx.AsyncClient | None = None

    async def text(self, path: str, **query: str) -> str | None:
        """What it answers; None when it does not, not in time, or not with 200."""
        with contextlib.suppress(OSError, httpx.HTTPError):
            async with self._starting:
                http = self._http or await self._start()
            answer = await http.get(path, params=query)
            return answer.text if answer.status_code == 200 else None
        return None

    async def items(self, path: str) -> list[dict[str, Any]] | None:
        """The objects of a list; None when there is no answer."""
        text = await self.text(path)
        found: list[dict[str, Any]] | None = None if text is None else json.loads(text)["items"]
        return found

    async def close(self) -> None:
        """End the proxy."""
        if self._http:
            await self._http.aclose()
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
        self._folder.cleanup()

    async def _start(self) -> httpx.AsyncClient:
        """Raises OSError when there is no kubectl, or when it does not serve."""
        socket = Path(self._folder.name) / "socket"
        if self._process is None:
            words = ("proxy", f"--unix-socket={socket}")
            quiet = asyncio.subprocess.DEVNULL
            self._process = await asyncio.create_subprocess_exec("kubectl", *words, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + _START_SECONDS
        while not socket.exists():
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise OSError("kubectl proxy does not serve")
            await asyncio.sleep(0.05)
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=_DEADLINE_SECONDS)
        return self._http
