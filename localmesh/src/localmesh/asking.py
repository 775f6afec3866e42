"""Asking the running copy: the other end of `control`."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from localmesh.errors import LocalmeshError


def call(path: Path, verb: str, *, timeout: float | None = 120, **arguments: Any) -> Any:  # noqa: ANN401
    """Ask the running copy, waiting for its answer. Raises LocalmeshError: its own, or that nothing answers."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        with connection:
            connection.connect(str(path))
            connection.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
            line = connection.makefile("rb").readline()
    except OSError as error:
        raise LocalmeshError(
            f"the running copy does not answer at {path}: {error}", "Try again, or stop it and start anew."
        ) from None
    if not line:
        raise LocalmeshError("the running copy stopped before it answered", "Look at its log, or start it again.")
    answer = json.loads(line)
    if "error" in answer:
        raise LocalmeshError(answer["error"], answer["next_step"])
    return answer["result"]
