"""kubectl, on the cluster that KUBECONFIG names or that this pod is in."""

from __future__ import annotations

import json
import subprocess
from typing import Any

NAMESPACE = "inkmesh"


def kubectl(*words: str, check: bool = True, namespace: str = NAMESPACE, stdin: str | None = None) -> str:
    """What kubectl prints; its errors are the test's."""
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(["kubectl", *where, *words], capture_output=True, text=True, timeout=180, input=stdin)
    assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
    return done.stdout


def get(kind: str, *words: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """Objects as dicts."""
    return json.loads(kubectl("get", kind, "-o", "json", *words, namespace=namespace))["items"]
