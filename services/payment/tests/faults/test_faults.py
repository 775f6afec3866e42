"""A short form of the long run (run.py beside this): the same scenarios, a few faults each."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.parametrize(
    ("kind", "names"), [("sqlite", ["kills", "points"]), ("postgres", ["kills", "database"]), ("mesh", ["answers"])]
)
def test_nothing_is_lost_or_doubled_whatever_dies(kind, names, request):
    """32 clients; payment killed at any moment and at chosen ones, its database crashed, its answers lost."""
    if kind == "postgres":
        request.getfixturevalue("postgres")  # skips where there is none
    done = subprocess.run(
        [sys.executable, RUN, "--kills", "2", "--operations", "300", "--on", kind, *names],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{len(names)} passed, 0 failed\n")
