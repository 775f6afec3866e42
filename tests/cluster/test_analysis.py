"""istioctl's own judgement of what is in the cluster."""

import shutil
import subprocess

import pytest

from product import ROOT

SCENARIOS = sorted(folder.name for folder in (ROOT / "istio" / "scenarios").iterdir())


def analyzed() -> str:
    command = ["istioctl", "analyze", "-n", "inkmesh"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("istioctl"), reason="istioctl is not on the PATH")
def test_istioctl_finds_nothing(product):
    """Neither in the base, nor with any scenario in force."""
    assert "No validation issues found" in analyzed()
    for name in SCENARIOS:
        with product.scenario(name):
            assert "No validation issues found" in analyzed(), name
