"""What Locust finds in the locustfile. It patches the process that imports it, so each look is a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent
LOCUST = [sys.executable, "-m", "locust", "-f", str(FOLDER / "locustfile.py")]
OPTIONS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from locust.argument_parser import get_parser
import options
own = {a.option_strings[0]: a.default for a in get_parser()._actions if a.option_strings and a.help}
own = {name: default for name, default in own.items() if f'"{name}"' in open(options.__file__).read()}
print(json.dumps(own))
"""


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def test_users_are_listed():
    """Visitors over HTTP, callers over gRPC."""
    done = run(*LOCUST, "--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["ModelCaller", "Visitor"]


def test_each_flag_is_in_the_readme():
    """The README's table has every flag, with its default, and no other."""
    done = run(sys.executable, "-c", OPTIONS, str(FOLDER))
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| `(--[a-z0-9-]+)` \| ([^|]*)\|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    said = {name: default.strip().strip("`") for name, default in rows}
    assert said == {name: str(default) for name, default in json.loads(done.stdout).items()}


@pytest.mark.parametrize("words", [("--correct-share", "2"), ("--shape", "stairs"), ("--top-up-credits", "0")])
def test_a_setting_that_makes_no_sense_is_refused(words):
    """One line that names it, and an exit code, before anything is sent."""
    done = run(*LOCUST, "--headless", "--host", "http://localhost:1", *words)
    assert done.returncode != 0
    assert words[0] in done.stderr


def test_the_drawings_are_digits():
    """Every digit is there, 8 × 8, 0 to 16."""
    from digits import read_digits

    drawings = read_digits()
    assert {label for label, _ in drawings} == set(range(10))
    assert all(len(pixels) == 64 and min(pixels) >= 0 and max(pixels) <= 16 for _, pixels in drawings)
