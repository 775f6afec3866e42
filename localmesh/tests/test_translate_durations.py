"""Durations in Go's notation become proto3 JSON."""

import pytest

from localmesh.translate import durations


@pytest.mark.parametrize(
    ("text", "envoy"),
    [
        ("5s", "5s"),
        ("0s", "0s"),
        ("0", "0s"),
        ("500ms", "0.500s"),
        ("1.5s", "1.500s"),
        (".5s", "0.500s"),
        ("1m30s", "90s"),
        ("1h", "3600s"),
        ("1500us", "0.001500s"),
        ("1ns", "0.000000001s"),
        ("-1.5s", "-1.500s"),
    ],
)
def test_a_duration_has_0_3_6_or_9_decimals(text, envoy):
    """The same length, in the one form that Envoy reads."""
    assert durations.envoy(text) == envoy


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1d", "5s3", "1,5s", "--1s"])
def test_what_is_no_duration_is_refused(text):
    """A number without a unit, an unknown unit, anything around it."""
    with pytest.raises(ValueError, match="is no duration"):
        durations.nanoseconds(text)
