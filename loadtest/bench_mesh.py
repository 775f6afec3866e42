"""The laptop mesh: changes under load, and what it costs, in one table."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable

import bench_mesh_changes
import bench_mesh_cost
import bench_mesh_hop

Row = tuple[str, str]


def main() -> None:
    """Measure one after the other, and print what there is so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("changes", "cost", "hop"))
    arguments = parser.parse_args()
    parts: dict[str, Callable[[], Iterable[Row]]] = {
        "changes": lambda: bench_mesh_changes.rows(arguments.changes, arguments.seed),
        "cost": bench_mesh_cost.rows,
        "hop": bench_mesh_hop.rows,
    }
    print(f"| {os.cpu_count()} cores | measured |\n|---|---|")
    for name, rows in parts.items():
        if arguments.only in (None, name):
            for what, found in rows():
                print(f"| {what} | {found} |", flush=True)


if __name__ == "__main__":
    main()
