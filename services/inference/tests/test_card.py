"""A model's card: the same facts as JSON, Markdown and HTML, from the manifest alone."""

from __future__ import annotations

import pytest

from inference import manifest
from inference.training.recipes import RECIPES


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.model}-{recipe.version}")
def test_every_version_has_a_card(process, models, recipe):
    """Data, metrics by class, confusion and limits, as the manifest has them."""
    path = f"/v2/models/{recipe.model}/versions/{recipe.version}/card"
    as_json, as_markdown, as_html = process.http_all(
        [
            ("GET", path, {}),
            ("GET", path, {"headers": {"accept": "text/markdown"}}),
            ("GET", path, {"headers": {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}}),
        ]
    )
    content, card = manifest.read(models / recipe.model / recipe.version), as_json.json()
    assert card["metrics"]["accuracy"] == content["metrics"]["accuracy"]
    assert card["metrics"]["by_class"] == content["metrics"]["by_class"]
    assert card["metrics"]["confusion"] == content["metrics"]["confusion"]
    assert card["data"] == content["data"]
    assert card["limits"] == list(recipe.limits)
    assert "golden" not in card
    for response, kind in ((as_markdown, "text/markdown"), (as_html, "text/html")):
        assert response.headers["content-type"].startswith(kind)
        assert response.headers["vary"] == "accept"
        for fact in (f"{content['metrics']['accuracy']:.1%}", content["data"]["sha256"], "Confusion", "Limits"):
            assert fact in response.text
    assert as_html.text.count("<tr>") == as_markdown.text.count("\n| ") - 2  # the rules below two tables' heads


def test_the_default_versions_card(process):
    """Without a version, the default's; of an unknown one, 404."""
    assert process.http("GET", "/v2/models/digits/card").json()["version"] == "v1"
    assert process.http("GET", "/v2/models/digits/versions/v9/card").status_code == 404
