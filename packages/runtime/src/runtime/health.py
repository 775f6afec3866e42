"""Liveness and readiness: alive while the process answers, ready once its own work can be done, never asking others."""

from __future__ import annotations

from fastapi import APIRouter, Response


class Health:
    """Two facts: whether the service has what it needs, and whether it is on its way out."""

    def __init__(self) -> None:
        self._prepared = False
        self._draining = False

    @property
    def ready(self) -> bool:
        """Whether new requests are welcome."""
        return self._prepared and not self._draining

    def set_ready(self, ready: bool) -> None:
        """Say whether the service has what it needs."""
        self._prepared = ready

    def drain(self) -> None:
        """Never ready again: the process is stopping."""
        self._draining = True

    def router(self) -> APIRouter:
        """GET /healthz/live and /healthz/ready, as the manifests' probes ask them."""
        router = APIRouter(prefix="/healthz", tags=["health"])

        @router.get("/live", summary="The process answers")
        async def live() -> dict[str, str]:
            return {"status": "live"}

        @router.get("/ready", summary="New requests are welcome")
        async def ready(response: Response) -> dict[str, str]:
            response.status_code = 200 if self.ready else 503
            return {"status": "ready" if self.ready else "draining" if self._draining else "starting"}

        return router
