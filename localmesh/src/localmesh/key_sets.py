"""The keys of tokens' issuers, fetched from their `jwksUri` as istiod does: plainly, from outside of the mesh.

The ingress' own name leads to this copy's ingress. What was found stays until something else is found.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from localmesh.fetch import Unanswered, fetch
from localmesh.mesh import Address

REFRESH_SECONDS = 60.0
_TIMEOUT_SECONDS = 5.0
_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 1.0
_SILENT_SECONDS = 20.0
_MOST_BYTES = 256 * 1024
_INGRESS = "istio-ingressgateway.istio-system"
_INGRESS_NAMES = frozenset({_INGRESS, f"{_INGRESS}.svc", f"{_INGRESS}.svc.cluster.local"})


class KeySets:
    """Fetches each address that it is told to `follow`, again and again; `found` has what was there last."""

    def __init__(
        self,
        ingress: Address,
        changed: Callable[[], Awaitable[bool]],
        say: Callable[[str], None],
        refresh: float = REFRESH_SECONDS,
    ) -> None:
        """`changed` puts a key set that is new or another one in force, and says whether it could.

        `refresh` is in seconds.
        """
        self.found: dict[str, str] = {}
        self._ingress = ingress
        self._refresh = refresh
        self._changed = changed
        self._say = say
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._first: dict[str, asyncio.Event] = {}

    def follow(self, urls: frozenset[str]) -> None:
        """Fetch these from now on, and no others."""
        for url in self._tasks.keys() - urls:
            self._tasks.pop(url).cancel()
            self._first.pop(url)
            self.found.pop(url, None)
        for url in urls - self._tasks.keys():
            self._first[url] = asyncio.Event()
            self._tasks[url] = asyncio.create_task(self._keep(url))

    async def wait(self, seconds: float) -> None:
        """Return when each was found and is in force, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(event.wait() for event in self._first.values()))

    async def stop(self) -> None:
        """Fetch nothing more."""
        tasks = list(self._tasks.values())
        self.follow(frozenset())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, url: str) -> None:
        delay, told, tried = _FIRST_SECONDS, "", 0.0
        while True:
            try:
                keys = await self._fetch(url)
            except (Unanswered, ValueError) as error:
                # The ingress and the issuer itself may be about to start: only what lasts is worth a line.
                reason = str(error)
                if tried >= _SILENT_SECONDS and reason != told:
                    told = reason
                    self._say(f"the keys at {url} cannot be fetched: {reason}; trying again")
                tried += delay
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_SECONDS)
                continue
            await self._put(url, keys)
            self._first[url].set()
            delay, told, tried = _FIRST_SECONDS, "", 0.0
            await asyncio.sleep(self._refresh)

    async def _put(self, url: str, keys: str) -> None:
        """Keys that Envoy does not take are forgotten: nothing else that changes may fail for them."""
        before = self.found.get(url)
        if before == keys:
            return
        self.found[url] = keys
        if not await self._changed():
            if before is None:
                del self.found[url]
            else:
                self.found[url] = before

    async def _fetch(self, url: str) -> str:
        """Raises Unanswered; ValueError: what is there is no key set."""
        target, headers = url, {}
        parts = urlsplit(url)
        if parts.hostname in _INGRESS_NAMES and parts.scheme == "http":
            target = parts._replace(netloc=str(self._ingress)).geturl()
            headers = {"host": parts.netloc}
        answer = await fetch(target, headers=headers, within=_TIMEOUT_SECONDS, most=_MOST_BYTES)
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"the status is {answer.status}")
        return _key_set(answer.body)


def _key_set(body: bytes) -> str:
    """The same key set in one form. ValueError: it is none."""
    found = json.loads(body)
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list) or not found["keys"]:
        raise ValueError("this is no JSON Web Key Set with a key")
    return json.dumps(found, separators=(",", ":"), sort_keys=True)
