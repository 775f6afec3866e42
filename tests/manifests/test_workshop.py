"""The lessons of workshop/ are true: what they name exists, what they type parses, and the first runs as it stands."""

import itertools
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.main import get_command

from inkmesh.product import PRODUCT
from localmesh.cli import create_app
from localmesh.kustomize import render
from product import OVERLAY, ROOT, STRICT, eventually, own

FOLDER = ROOT / "workshop"
LESSONS = sorted(FOLDER.glob("*.md"))
SERVICES = [ROOT / "README.md", ROOT / "gateway/README.md", *ROOT.glob("services/*/README.md")]
CLUSTER = "## On Kubernetes"
MADE = "istio/scenarios/mine"
"""What a lesson has its reader make."""


def fences(lesson, language):
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", lesson, re.MULTILINE | re.DOTALL)


def commands(lesson):
    """The words of each command of its shell blocks, as a shell takes them apart."""
    text = "".join(fences(lesson, "sh")).replace("\\\n", " ")
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";|&()\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    parts = itertools.groupby(lexer, lambda word: word.strip(";|&()\n") == "")
    return [list(words) for between, words in parts if not between]


def calls(*program):
    """The words after `program` wherever a lesson calls it, with the lesson's name."""
    size = len(program)
    found = [
        (path.name, words[size:])
        for path in LESSONS
        for words in commands(path.read_text())
        if tuple(words[:size]) == program
    ]
    assert found
    return found


def silent(command):
    """The same parser with nothing behind it."""
    command.callback = lambda **_: None
    for child in getattr(command, "commands", {}).values():
        silent(child)
    return command


def slug(heading):
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("program", ["inkmesh", "localmesh"])
def test_each_command_line_can_be_typed(program):
    """It parses as the command's own, to the last option."""
    command = silent(get_command(create_app(PRODUCT)))
    loads = [
        (lesson, ["load", words[1].removeprefix("SHAPE="), *words[2].removeprefix("ARGS=").split()])
        for lesson, words in calls("make")
        if words[0] == "load"
    ]
    for lesson, words in calls(program) + loads:
        try:
            command(words, standalone_mode=False)
        except Exception as error:  # the parser's own, which typer keeps to itself
            pytest.fail(f"{lesson}: {program} {shlex.join(words)}: {error}")


def test_what_commands_name_exists():
    """Scenarios, workloads and make's targets; the lessons' own programs take their words."""
    scenarios = {folder.name for folder in (ROOT / "istio/scenarios").iterdir()} | {MADE.rpartition("/")[2]}
    workloads = {one.name for one in render(ROOT / "k8s/overlays/laptop") if one.kind == "Deployment"}
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for lesson, words in calls("inkmesh"):
        if words[:2] == ["scenario", "apply"]:
            assert words[2] in scenarios, lesson
        if words[0] in ("kill", "restart", "scale"):
            assert words[1] in workloads, lesson
    for lesson, words in calls("make"):
        assert words[0] in targets, lesson
    for lesson, words in calls("python", "workshop/metrics.py"):
        assert words[0] in workloads, lesson
    arguments = runpy.run_path(str(FOLDER / "visitor.py"))["arguments"]
    for _, words in calls("python", "workshop/visitor.py"):
        arguments(words)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_what_is_linked_or_named_exists(path):
    """Files with their headings, what is said to be in a file, paths in commands, tests' names, settings."""
    lesson = path.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", lesson):
        file, _, anchor = target.partition("#")
        if file.startswith("http"):
            continue
        assert (FOLDER / file).exists(), target
        headings = re.findall(r"^#+ (.*)$", (FOLDER / file).read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), target
    for name, file in re.findall(r"`([^`]+)` in\s+\[[^\]]+\]\(([^)#]+)\)", lesson):
        assert name.rpartition(".")[2] in (FOLDER / file).read_text(), f"{name} in {file}"
    for word in itertools.chain(*commands(lesson)):
        if re.match(r"(istio|k8s|workshop|localmesh|tests|loadtest)/", word) and not word.startswith(MADE):
            assert (ROOT / word.removesuffix(".bak")).exists(), word
    said = "".join(file.read_text() for file in SERVICES)
    for name in re.findall(r"\b(?:GATEWAY|PAYMENT|INFERENCE|INKMESH)_[A-Z_]+\b", lesson):
        assert name in said, name


@pytest.mark.parametrize("path", [path for path in LESSONS if path.name != "README.md"], ids=lambda path: path.name)
def test_each_lesson_has_its_parts(path):
    """Steps with what they print, why, the same on a cluster, questions with answers; and the index has it."""
    lesson = path.read_text()
    parts = [
        lesson.find(part) for part in ("## Do it", "```text", "## Why it is so", CLUSTER, "## Questions", "<details>")
    ]
    assert parts[0] > 0
    assert parts == sorted(parts)
    assert f"]({path.name})" in (FOLDER / "README.md").read_text()


def run(product, script):
    """What a shell prints that runs it in the checkout; `set -e`: until something fails."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"INKMESH_HOME": str(product.home), "PATH": path}
    command = ["bash", "-c", f"set -e\n{script}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.laptop
def test_lesson_1_runs_as_it_stands(product):
    """Its steps print each line that it says; … stands for anything."""
    lesson = (FOLDER / "1-one-reading.md").read_text().partition(CLUSTER)[0]
    lines = "".join(fences(lesson, "text")).splitlines()

    def missing():
        printed = run(product, "".join(fences(lesson, "sh")))
        return [line for line in lines if not re.search(re.escape(line).replace("…", ".*"), printed)]

    assert lines
    eventually(lambda: missing() == [], 20)  # a log's line may come after the answer


@pytest.mark.laptop
def test_metrics_and_counters_of_the_lessons_are_counted(product):
    """Each metric is at a replica's /metrics, or in Prometheus' rules; each filter of Envoy's counters finds some."""
    assert product.guest().read().status_code == 201
    admin = product.status()["envoy"]["admin"]
    counted = "".join(file.read_text() for file in ROOT.glob("k8s/components/monitoring/rules/*.yaml"))
    for workload in product.status()["workloads"]:
        counted += "".join(httpx.get(f"{own(replica)}/metrics").text for replica in workload["replicas"])
    for path in LESSONS:
        lesson = path.read_text()
        for name in re.findall(r"\b(?:model:)?inkmesh_\w+(?::\w+)?", lesson):
            assert name in counted, f"{path.name}: {name}"
        for alert in re.findall(r"`(Model\w+)`", lesson):
            assert f"alert: {alert}\n" in counted, f"{path.name}: {alert}"
    with product.scenario("breaker"):  # replicas are watched, and ejections counted, only with it
        for path in LESSONS:
            for pattern in re.findall(r"ADMIN/stats\?filter=([^\"]+)\"", path.read_text()):
                if "rbac" not in pattern or OVERLAY == STRICT:
                    assert httpx.get(f"{admin}/stats", params={"filter": pattern}).text, f"{path.name}: {pattern}"
