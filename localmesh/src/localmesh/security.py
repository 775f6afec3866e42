"""What istiod hands out besides routes: certificates of workloads, and the keys of tokens' issuers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from localmesh import tls_secrets
from localmesh.key_sets import KeySets
from localmesh.mesh import Address, Document, Mesh
from localmesh.state import StateFolder
from localmesh.translate import identities, key_sources
from localmesh.volumes import Config

if TYPE_CHECKING:
    from localmesh.certificates import Certificates

_ACTING_BEFORE_REPLICAS = frozenset(
    {"AuthorizationPolicy", "EnvoyFilter", "PeerAuthentication", "RequestAuthentication", "Telemetry"}
)


def stands_before_replicas(documents: Iterable[Document]) -> bool:
    """Whether some document acts where requests come in, so that Envoy must be there.

    Without one, callers reach replicas directly: that is a hop less, and nobody could tell the difference.
    """
    return any(one.get("kind") in _ACTING_BEFORE_REPLICAS or _asks_for_mtls(one) for one in documents)


def _asks_for_mtls(document: Document) -> bool:
    return document.get("kind") == "DestinationRule" and "ISTIO_MUTUAL" in _texts(document.get("spec"))


def _texts(value: Any) -> Iterable[str]:  # noqa: ANN401 (YAML)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


class Security:
    """Of one copy: completes what is translated, and keeps it fresh while `run` runs."""

    def __init__(
        self, state: StateFolder, ingress: Address, changed: Callable[[], Awaitable[bool]], say: Callable[[str], None]
    ) -> None:
        """`changed`: the same documents now mean something else; whether that is in force."""
        self._state = state
        self._keys = KeySets(ingress, changed, say)
        self._certificates: Certificates | None = None
        self._issued = asyncio.Event()

    def complete(self, mesh: Mesh, config: Config) -> Mesh:
        """The mesh with what it needs; certificates are there when this returns. Raises LocalmeshError, Unsupported."""
        tls_secrets.write(self._state, config, mesh.documents)
        if not stands_before_replicas(mesh.documents):
            return mesh
        if self._certificates is None:
            # Slow to import, and not needed by who has no policies.
            from localmesh.certificates import Certificates

            self._certificates = Certificates(self._state.xds)
            self._issued.set()
        self._certificates.issue(identities(mesh))
        return replace(mesh, mtls=True, jwks=self._keys.found)

    def follow(self, documents: Iterable[Document]) -> None:
        """Fetch the keys that these documents name."""
        self._keys.follow(key_sources(documents))

    async def wait_keys(self, seconds: float) -> None:
        """Return when tokens can be checked, or after so many seconds."""
        await self._keys.wait(seconds)

    async def run(self) -> None:
        """Renew certificates until cancelled."""
        await self._issued.wait()
        if self._certificates is not None:
            await self._certificates.keep()

    async def stop(self) -> None:
        """Stop fetching keys."""
        await self._keys.stop()
