"""How verbs reach the running copy: a Unix socket, one JSON object a line, one question a connection."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from localmesh.errors import LocalmeshError

Verb = Callable[[Mapping[str, Any]], Awaitable[Any]]


class ControlServer:
    """Answers verbs. An answer is `{"result": …}` or `{"error": what, "next_step": …}`."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = path
        self._verbs = verbs
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen; only this user can connect. The state folder's lock must be ours."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._path.parent.stat().st_uid != os.getuid():
            raise LocalmeshError(
                f"{self._path.parent} belongs to another user", "Take a state folder with a shorter path."
            )
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening and drop questions that are not answered yet."""
        if self._server is not None:
            self._server.close()
        for task in list(self._answering):
            task.cancel()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._answering.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            answer = await self._answer(await reader.readline())
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()
        if task is not None:
            self._answering.discard(task)

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            question = json.loads(line)
            verb = self._verbs[question["verb"]]
        except (ValueError, KeyError, TypeError):
            return {"error": "the question is not understood", "next_step": "Is the running copy of another version?"}
        try:
            return {"result": await verb(question)}
        except LocalmeshError as error:
            return {"error": error.what, "next_step": error.next_step}
