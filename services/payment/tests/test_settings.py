import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from payment.settings import LiveSettings, Settings

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_lists_every_setting_with_its_default():
    """`| `PAYMENT_X` | default | meaning |` for each field, and no other."""
    rows = dict(re.findall(r"^\| `PAYMENT_(\w+)` \| `?([^`|]*?)`? \| .+ \|$", README.read_text(), re.M))
    told = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    assert {name: value.lower() for name, value in rows.items()} == {n: v.lower() for n, v in told.items()}


def test_every_setting_is_explained():
    """A docstring under each field."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"lease_seconds": 61},
        {"fraud_seconds": 9, "lease_seconds": 5},
        {"key_hours": 23},
        {"inference_url": "inference"},
        {"fraud_model": "../x"},
        {"sweep_seconds": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    """At the start, not when they first matter."""
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_thresholds_out_of_order_are_refused():
    """What goes to review cannot be above what is declined."""
    with pytest.raises(ValidationError, match="fraud_review must not be above"):
        LiveSettings(fraud_review=0.95)


def test_times_reach_the_ledger_in_milliseconds(monkeypatch):
    """From the environment to the ledger's terms."""
    monkeypatch.setenv("PAYMENT_LEASE_SECONDS", "2.5")
    monkeypatch.setenv("PAYMENT_KEY_HOURS", "48")
    terms = Settings().terms
    assert (terms.lease, terms.hold, terms.key) == (2500, 60_000, 172_800_000)
