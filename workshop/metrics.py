"""What the replicas of a workload count, by their own /metrics, past the mesh.

`python workshop/metrics.py WORKLOAD REGEX`: series that match. Counters (`…_total`, `…_count`) are added up over
the replicas; all else is one replica's, and is shown with its number.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict

import httpx


def processes(workload: str) -> list[str]:
    """IP:PORT of each replica's own process, as `inkmesh status` has it."""
    status = json.loads(subprocess.run(["inkmesh", "status", "--json"], capture_output=True, check=True).stdout)
    found = [one["replicas"] for one in status["workloads"] if one["name"] == workload]
    if not found:
        sys.exit(f"no workload {workload}: {', '.join(one['name'] for one in status['workloads'])}")
    return [replica["own"]["http"] for replica in found[0] if replica["ready"]]


def main() -> None:
    """Print the series."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    values: dict[str, float] = defaultdict(float)
    for number, address in enumerate(processes(sys.argv[1])):
        for line in httpx.get(f"http://{address}/metrics", timeout=5).raise_for_status().text.splitlines():
            series, _, value = line.rpartition(" ")
            if line.startswith("#") or not re.search(sys.argv[2], series):
                continue
            counter = series.partition("{")[0].endswith(("_total", "_count"))
            values[series if counter else f"{series} of replica {number}"] += float(value)
    for series, total in values.items():
        sys.stdout.write(f"{series} {total:g}\n")


if __name__ == "__main__":
    main()
