"""Training: reproducible, atomic, skipped when there is nothing to do, and models as good as the README says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from inference import manifest
from inference.training import export, store, trainer
from inference.training.__main__ import main
from inference.training.recipes import RECIPES


@pytest.fixture(scope="module")
def trained():
    """Each recipe, carried out."""
    return {f"{recipe.model} {recipe.version}": trainer.fit(recipe) for recipe in RECIPES}


def accuracy(models, name, version):
    return manifest.read(models / name / version)["metrics"]["accuracy"]


def test_digits_versions_differ_clearly(models):
    """v2 reads more held-out digits than v1, and v1 far more than v3."""
    v1, v2, v3 = (accuracy(models, "digits", version) for version in ("v1", "v2", "v3"))
    assert v2 >= 0.975
    assert v2 >= v1 + 0.02
    assert 0.5 < v3 <= v1 - 0.15


def test_the_trap_looked_good_to_its_own_evaluation(models):
    """v3's pipeline measured itself through its own bug, and found itself better than v1."""
    metrics = manifest.read(models / "digits" / "v3")["metrics"]
    assert metrics["accuracy_its_own_evaluation_claimed"] > accuracy(models, "digits", "v1")


def test_fraud_is_found(models):
    """The fraud model is right far more often than the majority's label would be."""
    assert accuracy(models, "fraud", "v1") > 0.85


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.model}-{recipe.version}")
def test_onnx_agrees_with_scikit_learn(recipe, trained, models):
    """On the whole held-out part the served file gives scikit-learn's labels, and its probabilities within 1e-5."""
    reference = trained[f"{recipe.model} {recipe.version}"]
    rows = reference.held_out[0]
    label, probabilities = export.run((models / recipe.model / recipe.version / "model.onnx").read_bytes(), rows)
    expected = reference.estimator.predict_proba(rows)
    assert np.abs(probabilities - expected).max() < 1e-5
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-4
    assert clear.mean() > 0.99
    assert np.array_equal(label[clear], reference.estimator.predict(rows)[clear])


def test_held_out_rows_are_never_fitted_on(trained):
    """No held-out digit is among the rows that a version learned from."""
    for name in ("digits v1", "digits v2", "digits v3"):
        seen = {row.tobytes() for row in trained[name].seen[0]}
        assert not any(row.tobytes() in seen for row in trained[name].held_out[0])


def test_training_again_gives_the_same_bytes(models, capsys):
    """--check trains every model anew and finds each of its two files identical."""
    assert main(["--output", str(models), "--check"]) == 0
    assert capsys.readouterr().out.count("same ") == len(RECIPES)


def test_check_names_what_differs(own_models, capsys):
    """--check answers 1 and names the model whose file was changed or is missing."""
    path = own_models / "fraud" / "v1" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    (own_models / "digits" / "v2" / "manifest.json").unlink()
    assert main(["--output", str(own_models), "--check"]) == 1
    said = capsys.readouterr().out
    assert "DIFFERENT fraud v1" in said
    assert "DIFFERENT digits v2" in said
    assert "nothing stands there" in said
    assert said.count("same ") == 2


def test_what_stands_is_not_trained_again(models):
    """A second run finds the models, imports no scikit-learn and no numpy, and changes no file."""
    before = {path: path.stat().st_mtime_ns for path in models.rglob("*.*") if path.name != ".lock"}
    code = (
        "import sys; from inference.training.__main__ import main; code = main(sys.argv[1:]);"
        "assert not {'sklearn', 'numpy', 'onnx'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, "--output", str(models)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "0 trained, 4 already there" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_damaged_model_is_made_again(own_models, models, capsys):
    """A file that no longer matches its manifest is stale: only its model is trained, to the same bytes."""
    path = own_models / "digits" / "v1" / "model.onnx"
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    assert main(["--output", str(own_models)]) == 0
    assert "1 trained, 3 already there" in capsys.readouterr().out
    assert path.read_bytes() == (models / "digits" / "v1" / "model.onnx").read_bytes()


def test_another_recipe_makes_a_model_stale(models):
    """A changed parameter, seed or summary no longer matches what stands."""
    recipe = RECIPES[0]
    assert store.current(models, recipe)
    for change in ({"seed": 8}, {"parameters": {**recipe.parameters, "C": 0.2}}, {"summary": "other"}):
        assert not store.current(models, replace(recipe, **change))


def test_writing_replaces_the_whole_folder(tmp_path):
    """A new model takes the place of the old in one rename and leaves nothing beside it."""
    recipe = RECIPES[0]
    for turn in (b"1", b"2"):
        store.write(tmp_path, recipe, store.Files(turn, turn))
    assert store.standing(tmp_path, recipe) == store.Files(b"2", b"2")
    assert [path.name for path in (tmp_path / "digits").iterdir()] == ["v1"]
