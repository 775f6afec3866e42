"""The models' cards through the ingress: each version tells its own, whoever answers readings at the moment."""

import pytest


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_a_versions_card_is_told_by_that_version(product, version):
    """Without a session: accuracy by digit, data and limits, and the digest of what answers."""
    answer = product.http.get(f"/v2/models/digits/versions/{version}/card")
    assert answer.status_code == 200, answer.text
    card = answer.json()
    assert (card["name"], card["version"]) == ("digits", version)
    assert all(0 <= card["metrics"]["by_class"][str(digit)]["recall"] <= 1 for digit in range(10))
    assert [len(row) for row in card["metrics"]["confusion"]] == [10] * 10
    assert card["data"]["rows"] > card["data"]["held_out_rows"] > 0
    assert card["limits"]
    # What else the page shows: tests/browser has it from a script.
    assert {"summary", "digest", "notes"} <= set(card)
    assert {"source", "sha256"} <= set(card["data"])
    assert {"name", "seed"} <= set(card["recipe"])
    assert answer.headers["x-inkmesh-path"].startswith(f'inference;version="{version}"')


def test_the_card_is_of_what_answered(product):
    """A reading names the digest of the model's file; the card of its version has the same."""
    model = product.guest().read().json()["model"]
    card = product.http.get(f"/v2/models/digits/versions/{model['version']}/card").json()
    assert card["digest"] == model["digest"]


def test_a_browser_gets_a_page(product):
    """Opened by itself, the card is HTML."""
    answer = product.http.get("/v2/models/digits/versions/v1/card", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")


def test_a_version_that_does_not_exist_has_no_card(product):
    """404 as a problem."""
    answer = product.http.get("/v2/models/digits/versions/v9/card")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/model-not-found"


@pytest.mark.parametrize("path", ["", "/models/digits", "/models/fraud/card", "/models/digits/versions/v1/ready"])
def test_nothing_else_of_the_models_is_open(product, path):
    """The rest of the inference protocol is for the services inside: what is not the page's is not found."""
    assert product.http.get(f"/v2{path}").status_code == 404


def test_models_are_not_asked_past_the_gateway(product):
    """A reading that nobody paid for: the page takes no POST, and a mesh's policy says so before it."""
    assert product.http.post("/v2/models/digits/versions/v1/infer", json={}).status_code in (403, 404, 405)
