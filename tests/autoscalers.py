"""A cluster's HorizontalPodAutoscalers: their objects, and one that decides otherwise for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clusters import ready
from kube import get, kubectl


def autoscaler(name: str) -> dict[str, Any]:
    (found,) = [one for one in get("hpa") if one["metadata"]["name"] == name]
    return found


def scaled(name: str) -> int:
    """How many replicas it sees."""
    return int(autoscaler(name)["status"].get("currentReplicas", 0))


@contextmanager
def deciding(name: str, spec: dict[str, Any]) -> Iterator[None]:
    """With this in its spec instead; afterwards as before, and its replicas ready."""
    before = autoscaler(name)["spec"]
    _patch(name, spec)
    try:
        yield
    finally:
        _patch(name, before)
        ready(before["scaleTargetRef"]["name"])


def _patch(name: str, spec: dict[str, Any]) -> None:
    kubectl("patch", "hpa", name, "--type=merge", "-p", json.dumps({"spec": spec}))
