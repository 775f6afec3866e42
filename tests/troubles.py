"""What `inkmesh doctor hpa --tier cluster` says."""

from __future__ import annotations

import os
import subprocess
import sys


def wrong(autoscaler: str) -> str:
    """The link of this autoscaler's chain that is broken, and what to do next; empty when all is well."""
    command = [sys.executable, "-m", "inkmesh", "doctor", "hpa", "--tier", "cluster"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    assert done.returncode == any(line.startswith("wrong") for line in lines)
    at = [place for place, line in enumerate(lines) if line.startswith((f"wrong  {autoscaler}:", "wrong  API server:"))]
    return "\n".join(lines[at[0] : at[0] + 2]) if at else ""
