"""The fraud model's outcomes, as payment will meet them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inference.model import Model

AMOUNTS = (10, 20, 50, 100, 200, 500, 1000)
ORDINARY, RAISED, HIGH = 0, 2, 3


@pytest.fixture(scope="module")
def chance(models):
    """The probability of fraud: credits, top-ups in the last hour, the card's risk."""
    model = Model.load(models, "fraud", "v1")

    def ask(credits_, earlier, risk):
        row = np.array([[credits_ / 1000, earlier, risk]], np.float32)
        return float(model.predict(row)["probabilities"][0, 1])

    return ask


@pytest.mark.parametrize("credits_", AMOUNTS)
def test_an_ordinary_cards_first_top_up_is_clear(chance, credits_):
    """An ordinary card, nothing earlier: well under 0.2."""
    assert chance(credits_, 0, ORDINARY) < 0.1


@pytest.mark.parametrize("credits_", AMOUNTS)
@pytest.mark.parametrize("earlier", [0, 1, 2])
def test_a_card_of_raised_risk_goes_to_review(chance, credits_, earlier):
    """Raised risk at usual amounts: between payment's thresholds of 0.5 and 0.9, with room on both sides."""
    assert 0.55 < chance(credits_, earlier, RAISED) < 0.88


@pytest.mark.parametrize("credits_", AMOUNTS)
@pytest.mark.parametrize("earlier", [0, 3, 10])
def test_a_card_of_high_risk_is_declined(chance, credits_, earlier):
    """High risk: 0.9 and more."""
    assert chance(credits_, earlier, HIGH) > 0.93


@pytest.mark.parametrize("risk", [0, 1, 2, 3])
@pytest.mark.parametrize("credits_", [1, 50, 1000, 10_000])
def test_each_top_up_in_the_hour_raises_the_chance(chance, risk, credits_):
    """More top-ups in the hour never lower the probability, and many raise it clearly."""
    chances = [chance(credits_, earlier, risk) for earlier in range(31)]
    assert all(later >= before - 1e-6 for before, later in itertools.pairwise(chances))
    odds = [np.log(each / (1 - each)) for each in (chances[0], chances[20])]
    assert odds[1] - odds[0] > 3


@pytest.mark.parametrize("earlier", [0, 2, 8])
@pytest.mark.parametrize("risk", [0, 1, 2, 3])
def test_larger_amounts_and_risks_raise_the_chance(chance, earlier, risk):
    """Neither a larger amount nor a riskier card lowers the probability."""
    by_amount = [chance(credits_, earlier, risk) for credits_ in (0, 2, 10, 100, 1000, 10_000)]
    assert by_amount == sorted(by_amount)
    assert chance(50, earlier, min(risk + 1, 3)) >= chance(50, earlier, risk)


def test_a_burst_of_top_ups_stops_an_ordinary_card(chance):
    """Some twenty top-ups within the hour are reviewed even with an ordinary card."""
    assert chance(50, 20, ORDINARY) > 0.5
