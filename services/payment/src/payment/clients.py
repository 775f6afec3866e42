"""The fraud model, asked over HTTP by the Open Inference Protocol V2. Retries and ejection are the mesh's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from payment.topups import Features, ModelUnavailable
from runtime import propagation
from runtime.propagation import PATH_HEADER

_POOL = httpx.Limits(max_connections=16, max_keepalive_connections=4)


class HttpFraudModel:
    """topups.FraudModel at `POST URL/v2/models/NAME/infer`."""

    def __init__(self, client: httpx.AsyncClient, model: str, seconds: float) -> None:
        self._client = client
        self._path = f"/v2/models/{model}/infer"
        self._seconds = seconds

    async def probability(self, features: Features) -> float:
        """Ask, within the deadline as a whole. Raises ModelUnavailable."""
        inputs = [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": features.row()}]
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.post(
                    self._path, json={"inputs": inputs}, headers=propagation.outgoing_headers()
                )
        except TimeoutError as error:
            raise ModelUnavailable(f"no answer within {self._seconds} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelUnavailable(f"no answer: {type(error).__name__}") from error
        propagation.current().hops.extend(propagation.parse_path(response.headers.get(PATH_HEADER, "")))
        if response.status_code != 200:
            raise ModelUnavailable(f"answered {response.status_code}")
        try:
            return _fraud(response.json())
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelUnavailable("its answer cannot be read") from error


def _fraud(answer: dict[str, Any]) -> float:
    (output,) = [output for output in answer["outputs"] if output["name"] == "probabilities"]
    if list(output["shape"]) != [1, 2]:
        raise ValueError("not one row of two")
    data = output["data"]
    _, fraud = data[0] if len(data) == 1 else data  # the protocol allows nested rows
    if isinstance(fraud, bool) or not isinstance(fraud, int | float) or not 0 <= fraud <= 1:
        raise ValueError("not a probability")
    return float(fraud)


@asynccontextmanager
async def fraud_model(url: str, model: str, seconds: float) -> AsyncIterator[HttpFraudModel]:
    """Open one pooled client for as long as the process serves."""
    async with httpx.AsyncClient(base_url=url, limits=_POOL, timeout=seconds, trust_env=False) as client:
        yield HttpFraudModel(client, model, seconds)
