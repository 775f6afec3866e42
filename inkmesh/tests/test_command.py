"""The command `inkmesh` is localmesh's verbs with the product's own."""

import subprocess
import sys
from pathlib import Path

from inkmesh.product import PRODUCT

ROOT = Path(__file__).resolve().parents[2]


def test_it_has_its_own_verbs():
    """`train` stands beside the verbs of every product."""
    command = [sys.executable, "-m", "inkmesh", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "train" in text
    assert "scenario" in text


def test_training_can_be_checked(tmp_path):
    """`train --check` says of each model whether it is what training makes, and ends with 1 when one is not."""
    command = [sys.executable, "-m", "inkmesh", "train", "--check", "--output", str(tmp_path / "models")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("nothing stands there") == 4
    assert not (tmp_path / "models").exists()


def test_its_folders_are_there():
    """What the product names is in the checkout."""
    assert (ROOT / PRODUCT.overlay / "kustomization.yaml").is_file()
    assert (ROOT / PRODUCT.scenarios).is_dir()
    assert PRODUCT.located_at is not None
    assert ROOT in PRODUCT.located_at.resolve().parents
