"""Knowing how models do: what is sent, said and doubted is counted, and digits gone bad show."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from scipy.stats import chi2
from sklearn.datasets import load_digits

from inference import drift
from inference.training.digits import split
from inference.training.recipes import RECIPES


@pytest.fixture(scope="module")
def held_out():
    return split(RECIPES[0])[2]


def blur(rows):
    images = np.pad(rows.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    nine = [images[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
    return np.round(np.mean(nine, 0)).reshape(-1, 64)


def invert(rows):
    return 16 - rows


def shift(rows):
    return np.roll(rows.reshape(-1, 8, 8), 2, 2).reshape(-1, 64)


def send(process, rows, size=32, path="/v2/models/digits/infer"):
    def body(part):
        tensor = {"name": "pixels", "datatype": "FP32", "shape": list(part.shape), "data": part.ravel().tolist()}
        return json.dumps({"inputs": [tensor]})

    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    answers = process.http_all([("POST", path, {"content": body(part)}) for part in parts])
    assert {answer.status_code for answer in answers} == {200}
    return answers


def metrics(process):
    """Samples by name and labels (without model and version)."""
    found = {}
    for family in text_string_to_metric_families(process.http("GET", "/metrics").text):
        for sample in family.samples:
            rest = [sample.labels[name] for name in ("group", "bin", "rows", "label", "le") if name in sample.labels]
            found[sample.name, *rest] = sample.value
    return found


def measured(process):
    found = metrics(process)
    indices = {key[1]: value for key, value in found.items() if key[0] == "inkmesh_model_drift_psi"}
    return indices, found["inkmesh_model_drift_p_value",], found["inkmesh_model_drift_samples",]


def test_ordinary_digits_are_no_drift(models, start, held_out):
    """540 digits that no training saw: every group below 0.25, and the test for the whole finds nothing."""
    process = start(models, "digits=v1").load()
    assert measured(process)[1:] == (1, 0)
    send(process, held_out)
    indices, p_value, samples = measured(process)
    assert samples == 540
    assert max(indices.values()) < 0.25
    assert p_value > 0.001


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("change", [blur, invert, shift])
def test_digits_gone_bad_are(models, start, held_out, version, change):
    """200 digits blurred, inverted or shifted: some groups above 0.25, and the test is beyond doubt."""
    process = start(models, f"digits={version}").load()
    send(process, change(held_out[:200]))
    indices, p_value, _ = measured(process)
    assert sum(index > 0.25 for index in indices.values()) >= 3
    assert p_value < 1e-6


def test_the_trap_meets_what_it_was_not_made_with(models, start, held_out):
    """Honest digits are drift to v3, whose reference went through its own faulty resize; to v1 they are none."""
    v1, v3 = (start(models, f"digits={version}").load() for version in ("v1", "v3"))
    for process in (v1, v3):
        send(process, held_out)
    assert measured(v3)[0][drift.WHOLE] > 0.25 > measured(v1)[0][drift.WHOLE]


def test_the_window_moves_on(models, start, held_out):
    """What was bad long ago is forgotten; the counters keep it."""
    process = start(models, "digits=v1", drift_window_seconds=0.001).load()
    send(process, invert(held_out[:100]))
    for _ in range(3):
        indices, _, samples = measured(process)
    assert samples == 0
    assert set(indices.values()) == {0}
    found = metrics(process)
    assert sum(value for key, value in found.items() if key[:2] == ("inkmesh_model_samples_total", "whole")) == 100


def test_counters_add_up(models, start, held_out):
    """Every group's bins sum to the rows looked at, its reference to 1; labels and confidence count every row."""
    process = start(models, "digits=v2").load()
    answers = send(process, held_out, size=1) + send(process, np.concatenate([held_out] * 2)[:1000], size=1000)
    labels = np.concatenate([answer.json()["outputs"][0]["data"] for answer in answers])
    confidence = np.concatenate([np.reshape(a.json()["outputs"][1]["data"], (-1, 10)).max(1) for a in answers])
    found = metrics(process)
    groups = {key[1] for key in found if key[0] == "inkmesh_model_samples_total"}
    assert len(groups) == 19
    for group in groups:
        total = sum(v for key, v in found.items() if key[:2] == ("inkmesh_model_samples_total", group))
        # Of the large batch some 64 rows are looked at; what was said of it is counted whole.
        assert total == 1540 if group in (drift.PREDICTIONS, drift.CONFIDENCE) else 540 + 63 <= total <= 540 + 64
        shares = [v for key, v in found.items() if key[:2] == ("inkmesh_model_reference_ratio", group)]
        assert sum(shares) == pytest.approx(1)
    for label in range(10):
        assert found["inkmesh_predictions_total", str(label)] == (labels == label).sum()
    assert found["inkmesh_prediction_confidence_count",] == 1540
    assert found["inkmesh_prediction_confidence_sum",] == pytest.approx(confidence.sum(), rel=1e-4)
    assert found["inkmesh_model_abstentions_total",] == (confidence < 0.5).sum()
    assert found["inkmesh_model_inference_duration_seconds_count", "1"] == 540
    assert found["inkmesh_model_inference_duration_seconds_count", "257-1024"] == 1


def test_counted_as_training_counts(process, models):
    """What the reference was made from gives the reference's own counts."""
    learn = split(RECIPES[0])[0]
    reference = process.repository.get("digits", "v1").reference
    counted = reference.count(learn, np.zeros(1, np.int64), np.zeros(1, np.float32))
    assert (counted[:17] == reference.counts[:17]).all()
    assert not (counted[:17] == process.repository.get("digits", "v3").reference.counts[:17]).all()


@pytest.mark.parametrize("freedom", range(1, 12))
def test_the_test_is_the_textbooks(freedom):
    """P-values are scipy's."""
    rng = np.random.default_rng(freedom)
    actual, reference = (rng.integers(1, 50, freedom + 1) for _ in range(2))
    n, m = actual.sum(), reference.sum()
    statistic = ((np.sqrt(m / n) * actual - np.sqrt(n / m) * reference) ** 2 / (actual + reference)).sum()
    assert drift.p_value(actual, reference) == pytest.approx(chi2.sf(statistic, freedom), rel=1e-9)


def test_no_false_alarm_in_a_hundred_windows(models, process):
    """Of 100 draws of 100 ordinary digits the test is below 1 in 1,000 at most once."""
    rng = np.random.default_rng(5)
    pixels = load_digits().data.astype(np.float32)
    reference = process.repository.get("digits", "v1").reference
    alarms = 0
    for _ in range(100):
        rows = pixels[rng.choice(len(pixels), 100, replace=False)]
        counts = reference.count(rows, np.zeros(1, np.int64), np.zeros(1, np.float32))[:17]
        alarms += drift.smallest_p_value(counts, reference.counts[:17]) < 0.001
    assert alarms <= 1
