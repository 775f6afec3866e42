"""The manifest: what it holds, and that nothing damaged or false is ever served."""

from __future__ import annotations

import contextlib
import hashlib
from functools import partial

import numpy as np
import orjson
import pytest

from inference import manifest
from inference.manifest import Tampered
from inference.model import Model, Refused
from inference.training.recipes import RECIPES

MODELS = [(recipe.model, recipe.version) for recipe in RECIPES]


@pytest.mark.parametrize(("name", "version"), MODELS)
def test_manifest_tells_all(models, name, version):
    """Digest, versions, recipe, data's digest, accuracy by class, histograms that add up, 16 golden rows."""
    content = manifest.read(models / name / version)
    assert content["files"].keys() == {"model.onnx"}
    assert content["made_with"].keys() >= {"scikit-learn", "skl2onnx", "onnx", "numpy", "platform"}
    assert content["recipe"].keys() == {"name", "summary", "seed", "parameters", "limits", "digest"}
    assert len(content["data"]["sha256"]) == 64
    classes = content["outputs"][1]["shape"][1]
    assert content["metrics"]["by_class"].keys() == {str(label) for label in range(classes)}
    held_out = content["data"]["held_out_rows"]
    assert sum(each["rows"] for each in content["metrics"]["by_class"].values()) == held_out
    assert sum(content["reference"]["labels"].values()) == held_out
    assert sum(content["reference"]["confidence"]["counts"]) == held_out
    confusion = np.array(content["metrics"]["confusion"])
    assert confusion.sum() == held_out
    assert confusion.trace() / held_out == pytest.approx(content["metrics"]["accuracy"], abs=1e-4)
    for group in [*content["reference"]["inputs"], content["reference"]["whole"]]:
        assert len(group["counts"]) == len(group["edges"]) + 1
        assert sum(group["counts"]) == sum(content["reference"]["inputs"][0]["counts"])
    assert len(content["golden"]["inputs"]) == 16
    assert len(set(content["golden"]["labels"])) >= classes - 1


def test_the_traps_reference_shows_its_shifted_data(models):
    """v3's histograms are of what it learned from, so that honest digits will look like drift to it."""

    def ink(version):
        groups = manifest.read(models / "digits" / version)["reference"]["inputs"]
        return next(group for group in groups if group["name"] == "rows 2-3, columns 0-1")["edges"]

    assert ink("v3")[-1] > ink("v1")[-1]


def test_every_flipped_bit_is_refused(own_models):
    """One bit flipped anywhere in either file, and the version is refused before anything of it is parsed."""
    rng = np.random.default_rng(1)
    refused = 0
    for name, version in MODELS:
        for file in ("model.onnx", "manifest.json"):
            path = own_models / name / version / file
            good = path.read_bytes()
            places = [0, 14, 20, 82, len(good) - 1, *rng.integers(0, len(good), 35).tolist()]
            for place in places:
                bad = bytearray(good)
                bad[place] ^= 1 << int(rng.integers(8))
                path.write_bytes(bad)
                with pytest.raises(Tampered):
                    Model.load(own_models, name, version)
                refused += 1
            path.write_bytes(good)
        assert Model.load(own_models, name, version).version == version
    assert refused >= 300


@pytest.mark.parametrize("file", ["model.onnx", "manifest.json"])
@pytest.mark.parametrize("change", ["cut", "longer", "empty", "missing", "folder", "huge"])
def test_other_damage_is_refused(own_models, file, change):
    """A file that is cut, longer, empty, missing, a folder or huge is refused as tampered with."""
    path = own_models / "digits" / "v1" / file
    good = path.read_bytes()
    path.unlink()
    if change == "folder":
        path.mkdir()
    elif change != "missing":
        path.write_bytes(
            {"cut": good[:-1], "longer": good + b"\n", "empty": b"", "huge": good + bytes(2 << 20)}[change]
        )
    with pytest.raises(Tampered):
        Model.load(own_models, "digits", "v1")


def reseal(folder, change):
    content = manifest.read(folder)
    del content["sha256"]
    change(content)
    (folder / "manifest.json").write_bytes(manifest.seal(content))


def wrong_label(content):
    content["golden"]["labels"][3] ^= 1


def wrong_probability(content):
    content["golden"]["probabilities"][0][0] += 0.01


def wrong_width(content):
    content["golden"]["inputs"] = [row[:-1] for row in content["golden"]["inputs"]]


def wrong_output(content):
    content["outputs"][0]["datatype"] = "FP32"


@pytest.mark.parametrize("change", [wrong_label, wrong_probability, wrong_width, wrong_output])
def test_a_model_that_breaks_its_promises_is_refused(own_models, change):
    """Files that match a well-sealed manifest are still refused when the model does not do what it says."""
    reseal(own_models / "digits" / "v2", change)
    with pytest.raises(Refused):
        Model.load(own_models, "digits", "v2")


MEMBERS = [
    ("name",), ("version",), ("platform",), ("files",), ("files", "model.onnx"), ("files", "model.onnx", "sha256"),
    ("files", "model.onnx", "bytes"), ("metrics",), ("metrics", "accuracy"), ("metrics", "confusion"), ("inputs",),
    ("outputs",), ("reference",), ("reference", "inputs"), ("reference", "whole"), ("reference", "whole", "precision"),
    ("reference", "confidence", "edges"), ("reference", "labels"), ("recipe",), ("recipe", "limits"), ("data",),
    ("golden",), ("golden", "inputs"), ("golden", "tolerance"),
]  # fmt: skip


def test_a_manifest_that_lacks_something_is_refused(own_models):
    """Well sealed, but with a member gone: a refusal that names the folder; of another kind: never any other error."""
    home = own_models / "digits" / "v1"
    good = (home / "manifest.json").read_bytes()
    for *path, last in MEMBERS:

        def change(content, path=path, last=last, **value):
            for key in path:
                content = content[key]
            if value:
                content[last] = value["value"]
            else:
                del content[last]

        reseal(home, change)
        with pytest.raises((Refused, Tampered), match="v1"):
            Model.load(own_models, "digits", "v1")
        for value in (None, [], {}, -1, "x"):
            (home / "manifest.json").write_bytes(good)
            reseal(home, partial(change, value=value))
            with contextlib.suppress(Refused, Tampered):
                Model.load(own_models, "digits", "v1")
        (home / "manifest.json").write_bytes(good)


def test_a_version_in_anothers_place_is_refused(own_models):
    """v3's folder put in v2's place is not served as v2."""
    (own_models / "digits" / "v2").rename(own_models / "aside")
    (own_models / "digits" / "v3").rename(own_models / "digits" / "v2")
    with pytest.raises(Refused):
        Model.load(own_models, "digits", "v2")


def test_what_is_not_onnx_is_refused(own_models):
    """Bytes that onnxruntime does not take are refused, though their digest is right."""
    folder, data = own_models / "fraud" / "v1", b"not onnx"
    (folder / "model.onnx").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    reseal(folder, lambda content: content["files"].update({"model.onnx": {"sha256": sha256, "bytes": len(data)}}))
    with pytest.raises(Refused):
        Model.load(own_models, "fraud", "v1")


def test_the_seal_is_over_the_bytes(tmp_path):
    """A manifest is JSON of its content plus its seal, and a rewritten one, though equal JSON, is refused."""
    (tmp_path / "manifest.json").write_bytes(manifest.seal({"format": 2, "name": "x"}))
    assert manifest.read(tmp_path)["name"] == "x"
    content = orjson.loads((tmp_path / "manifest.json").read_bytes())
    (tmp_path / "manifest.json").write_bytes(orjson.dumps(content))
    with pytest.raises(Tampered):
        manifest.read(tmp_path)
