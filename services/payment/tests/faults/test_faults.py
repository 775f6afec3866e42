"""A short form of the long run (run.py beside this): the same scenarios, a few faults each."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.parametrize("words", [("--on", "sqlite", "kills", "points"), ("--on", "postgres", "kills", "database")])
def test_nothing_is_lost_or_doubled_whatever_dies(words, request):
    """32 clients, and payment killed at any moment and at chosen ones, and its database crashed."""
    if "postgres" in words:
        request.getfixturevalue("postgres")  # skips where there is none
    done = subprocess.run(
        [sys.executable, RUN, "--kills", "2", "--operations", "300", *words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("2 passed, 0 failed\n")
