"""Files over HTTP: validators, caching, and the headers that keep a browser from doing what the page does not need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from frontend.assets import PAGE, Asset
from frontend.errors import NoSuchAsset

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    # Asked again each time, answered by 304 when nothing changed: a new release is whole at once.
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Pages:
    """The two routes."""

    assets: Mapping[str, Asset]

    async def index(self, request: Request) -> Response:
        """GET /."""
        return _served(request, self.assets[PAGE])

    async def static(self, request: Request) -> Response:
        """GET /static/PATH. Raises NoSuchAsset."""
        asset = self.assets.get(request.path_params["path"])
        if asset is None:
            raise NoSuchAsset
        return _served(request, asset)


def _served(request: Request, asset: Asset) -> Response:
    headers = HEADERS | {"etag": asset.etag}
    if asset.known_by(request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    # Starlette's server leaves the body of an answer to HEAD out.
    return Response(asset.body, headers=headers | {"content-type": asset.media_type})
