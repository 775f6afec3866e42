"""A run whose digits go bad: what is measured, drawn and judged of it."""

import pytest

from inkmesh.load import drift, page
from inkmesh.load.locust_process import Plan
from inkmesh.load.objectives import judge
from inkmesh.load.recording import Recording
from inkmesh.load.series import Series
from product import ROOT, inkmesh

BEGAN = 1_000_000.0
OBJECTIVE = "digits that went bad are noticed within a minute"
METRICS = """
inkmesh_model_drift_psi{group="whole",model="digits",version="v1"} 0.31
inkmesh_model_drift_psi{group="predictions",model="digits",version="v1"} 7e-02
inkmesh_model_drift_psi{group="whole",model="fraud",version="v1"} 9.5
inkmesh_model_drift_samples{model="digits",version="v1"} %s
inkmesh_model_drift_samples{model="fraud",version="v1"} 9000.0
"""


def recording(index, **plan):
    """90 seconds; digits go bad at 30 s; `index(second)` is v1's PSI."""
    told = {"shape": "soak", "arrivals": "open", "peak": 50, "seconds": 90, "rest": 0, "steps": 4}
    found = Recording({**told, "drift": "blur", "drift_after": 30.0, **plan}, BEGAN)
    for second in range(90):
        found.seconds.append(
            {"t": BEGAN + second, "users": 50, "requests": {"GET /": 50}, "times": {"20": 50}, "errors": {},
             "versions": {"v1": 50}, "replicas": {}, "lag": 0.001, "cpu": 0.1}
        )  # fmt: skip
        value = index(second)
        found.samples.append(
            {"t": BEGAN + second, "scenario": None, "workloads": {}, "served": {}, "autoscalers": [], "cpu": {},
             "envoy": {"ejected": 0, "ejections": 0, "retries": 0, "refused": 0, "restarts": 0},
             "drift": {} if value is None else {"inference-v1": value}}
        )  # fmt: skip
    return found


def verdict(found):
    return {one.name: one for one in judge(Series(found), ROOT / "loadtest" / "objectives.toml")}[OBJECTIVE]


def test_a_replica_that_read_little_measures_nothing():
    """The index of its worst group, of the digits' model alone; chance, where it is of few."""
    assert drift.measured(METRICS % "900.0") == 0.31
    assert drift.measured(METRICS % "12.0") is None
    assert drift.measured("inkmesh_requests_total 9\n") is None


@pytest.mark.parametrize(
    ("index", "holds", "words"),
    [
        (lambda second: 0.05 if second < 42 else 3.0, True, "inference-v1 in 12 s (0.05 before, 3.00 at most)"),
        (lambda second: 0.05, False, "did not tell"),
        (lambda second: 3.0, False, "with good digits too (3.00)"),
        (lambda second: None, False, "Nobody measured"),
    ],
)
def test_digits_that_go_bad_are_noticed_or_not(index, holds, words):
    """From the first bad digit to the index above its limit; one that was above it before has seen nothing."""
    found = verdict(recording(index))
    assert found.holds == holds
    assert words in found.found


def test_a_run_of_good_digits_is_not_judged_for_drift():
    """The objective is for runs with --drift."""
    found = recording(lambda second: 0.05)
    del found.plan["drift"], found.plan["drift_after"]
    assert OBJECTIVE not in {one.name for one in judge(Series(found), ROOT / "loadtest" / "objectives.toml")}


def test_the_report_draws_it(tmp_path):
    """A chart of its own, and a mark where the digits went bad."""
    series = Series(recording(lambda second: 0.05 if second < 42 else 3.0))
    report, _ = page.write(series, [], None, tmp_path)
    text = report.read_text()
    assert "inference-v1 in 12 s" in text
    assert "bad digits: blur" in text


def test_locust_is_told_after_a_third(tmp_path):
    """--drift and --drift-after, as loadtest/options.py has them."""
    words = Plan("soak", "open", 50, 90, drift="blur").words(tmp_path, "http://localhost", tmp_path)
    assert words[words.index("--drift") + 1] == "blur"
    assert words[words.index("--drift-after") + 1] == "30"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("load", "--drift", "smear"), "there is no drift `smear`"),
        (("load", "soak", "--drift", "smear"), "there is no drift `smear`"),
        (("load", "--drift", "blur", "soak"), "`inkmesh load soak --drift blur`"),
        (("load", "--drift", "blur"), "does not run"),
    ],
)
def test_a_drift_that_cannot_be_run_is_told(tmp_path, words, said):
    """Alone it is a run of its own, and needs a running copy as the others do."""
    done = inkmesh(tmp_path, *words)
    assert done.returncode == 1
    assert said in done.stderr
