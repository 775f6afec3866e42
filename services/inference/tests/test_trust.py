"""Who made a model: with trusted keys configured, only what one of them signed is served."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inference.manifest import Tampered
from inference.model import Model
from inference.training.__main__ import main
from inference.training.recipes import RECIPES
from inference.trust import SIGNATURE, TrustedKeys


def private(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
def signed(own_models, key, tmp_path, capsys):
    """The models, signed; `keys` beside them trusts the key, and another that signed nothing."""
    (tmp_path / "private.pem").write_bytes(private(key))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "maker.pem").write_bytes(public(key))
    (tmp_path / "keys" / "another.pem").write_bytes(public(Ed25519PrivateKey.generate()))
    assert main(["--output", str(own_models), "--signing-key", str(tmp_path / "private.pem")]) == 0
    said = capsys.readouterr().out
    assert "0 trained" in said
    assert said.count("signed ") == len(RECIPES)
    return own_models


def test_signed_models_are_served(signed, tmp_path, start):
    """Every version loads; signing again changes nothing, and the training still knows the files as its own."""
    for recipe in RECIPES:
        Model.load(signed, recipe.model, recipe.version, TrustedKeys(tmp_path / "keys"))
    before = (signed / "digits" / "v1" / SIGNATURE).stat().st_mtime_ns
    assert main(["--output", str(signed), "--signing-key", str(tmp_path / "private.pem")]) == 0
    assert (signed / "digits" / "v1" / SIGNATURE).stat().st_mtime_ns == before
    assert main(["--output", str(signed), "--check"]) == 0


def test_300_forged_signatures_are_refused(signed, tmp_path, key):
    """Flipped bits, other keys, another's signature, none at all: each is refused; the right one is then taken."""
    keys, rng, refused = TrustedKeys(tmp_path / "keys"), np.random.default_rng(3), 0
    for recipe in RECIPES:
        home = signed / recipe.model / recipe.version
        good, manifest = (home / SIGNATURE).read_bytes(), (home / "manifest.json").read_bytes()
        other = RECIPES[0] if recipe is not RECIPES[0] else RECIPES[1]
        forged = [
            b"", b"\0", good[:-2], good * 2, b"x" * 5000, Ed25519PrivateKey.generate().sign(manifest),
            (signed / other.model / other.version / SIGNATURE).read_bytes(),
        ]  # fmt: skip
        for _ in range(70):
            bad = bytearray(good)
            bad[int(rng.integers(len(good) - 4))] ^= 1 << int(rng.integers(8))
            forged.append(bytes(bad))
        for data in forged:
            (home / SIGNATURE).write_bytes(data)
            with pytest.raises(Tampered):
                Model.load(signed, recipe.model, recipe.version, keys)
            refused += 1
        (home / SIGNATURE).write_bytes(good)
        Model.load(signed, recipe.model, recipe.version, keys)
    assert refused >= 300


def test_an_unsigned_model_is_refused_only_where_keys_are_set(models, tmp_path, key):
    """Without keys a model without a signature is served; with keys it is not."""
    (tmp_path / "maker.pem").write_bytes(public(key))
    Model.load(models, "digits", "v1")
    with pytest.raises(Tampered, match=SIGNATURE):
        Model.load(models, "digits", "v1", TrustedKeys(tmp_path))


def test_keys_that_cannot_be_used_are_named(signed, tmp_path):
    """No folder, no key in it, junk, or a key of another kind: nothing is served, and the reason says which file."""
    empty = tmp_path / "empty"
    empty.mkdir()
    cases = [(empty, "no public key"), (tmp_path / "none", "no public key")]
    for name, content in (
        ("junk", b"junk"),
        ("other", public(ec.generate_private_key(ec.SECP256R1()))),
        ("secret", private(Ed25519PrivateKey.generate())),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.pem").write_bytes(content)
        cases.append((folder, "a.pem"))
    for folder, words in cases:
        with pytest.raises(Tampered, match=words):
            Model.load(signed, "digits", "v1", TrustedKeys(folder))


def test_a_bad_signing_key_is_an_error_before_anything_is_trained(tmp_path, capsys):
    """A file that is missing, junk or of another kind: exit code 2 and a line that names it."""
    (tmp_path / "junk.pem").write_bytes(b"junk")
    (tmp_path / "other.pem").write_bytes(private(ec.generate_private_key(ec.SECP256R1())))
    for name in ("none.pem", "junk.pem", "other.pem"):
        with pytest.raises(SystemExit) as exit_:
            main(["--output", str(tmp_path / "models"), "--signing-key", str(tmp_path / name)])
        assert exit_.value.code == 2
        assert name in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_a_process_serves_what_is_signed(signed, tmp_path, serve):
    """`INFERENCE_TRUSTED_KEYS` is in force in the running process."""
    serving = serve(models=signed, trusted_keys=tmp_path / "keys", serve="digits=v2")
    assert '"model ready"' in serving.output.read_text()


def test_training_is_the_same_whatever_the_process(models):
    """Python's hash seed, which orders sets, changes no byte."""
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "inference.training", "--output", str(models), "--check"],
            env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
