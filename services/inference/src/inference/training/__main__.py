"""python -m inference.training [--output FOLDER] [--signing-key FILE] [--check]."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference import trust
from inference.training import store
from inference.training.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEFAULT_FOLDER = Path(".inkmesh/models")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing or stale, or with --check make all again and compare; say what was done."""
    parser = argparse.ArgumentParser(prog="python -m inference.training", description="Train the models.")
    parser.add_argument("--output", type=Path, default=DEFAULT_FOLDER, help="where the models stand (%(default)s)")
    parser.add_argument("--signing-key", type=Path, help="sign each manifest by this Ed25519 private key (PEM)")
    parser.add_argument("--check", action="store_true", help="train again and compare; nothing is written")
    chosen = parser.parse_args(arguments)
    if chosen.check:
        return check(chosen.output)
    try:
        key = trust.read_signing_key(chosen.signing_key) if chosen.signing_key else None
    except trust.BadKey as error:
        parser.error(str(error))
    return train(chosen.output, key)


def train(folder: Path, key: Ed25519PrivateKey | None = None) -> int:
    """Make every model whose files are not what its recipe makes; with a key, sign those that it has not signed."""
    started = time.monotonic()
    with store.locked(folder):
        stale = [recipe for recipe in RECIPES if not store.current(folder, recipe)]
        for recipe in stale:
            from inference.training import trainer

            files, content = trainer.make(recipe)
            store.write(folder, recipe, _signed(files, key))
            _say(f"trained {_name(recipe)}: {_accuracy(content)}, {len(files.model) / 1024:.0f} KiB")
        if key is not None:
            _sign_standing(folder, key)
    kept = len(RECIPES) - len(stale)
    _say(f"{len(stale)} trained, {kept} already there, in {time.monotonic() - started:.1f} s: {folder}")
    return 0


def _sign_standing(folder: Path, key: Ed25519PrivateKey) -> None:
    for recipe in RECIPES:
        stands = store.standing(folder, recipe)
        if stands is not None and stands != _signed(stands, key):
            store.write(folder, recipe, _signed(stands, key))
            _say(f"signed {_name(recipe)}")


def _signed(files: store.Files, key: Ed25519PrivateKey | None) -> store.Files:
    return files if key is None else replace(files, signature=trust.sign(key, files.manifest))


def check(folder: Path) -> int:
    """Train again; 0 when every byte is the same, 1 otherwise."""
    from inference.training import trainer

    different = 0
    for recipe in RECIPES:
        files, content = trainer.make(recipe)
        stands = store.standing(folder, recipe)
        same = stands is not None and replace(stands, signature=None) == files
        different += not same
        _say(f"{'same' if same else 'DIFFERENT'} {_name(recipe)}: {_accuracy(content)}{_why(stands, files)}")
    return 1 if different else 0


def _why(stands: store.Files | None, made: store.Files) -> str:
    if stands is None:
        return "; nothing stands there"
    if (stands.model, stands.manifest) == (made.model, made.manifest):
        return ""
    if stands.model == made.model:
        return "; the model is the same to the byte, its manifest is not"
    return "; the model differs: other versions, another processor, or a damaged file"


def _accuracy(content: dict[str, Any]) -> str:
    return f"{content['metrics']['accuracy']:.1%} of {content['data']['held_out_rows']} held-out rows right"


def _name(recipe: Recipe) -> str:
    return f"{recipe.model} {recipe.version}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
