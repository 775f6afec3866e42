"""What a soak calls growth."""

from soak_inference import growth


def test_warming_up_is_no_growth_and_a_leak_is():
    """The last third is compared with the second, by medians: one peak does not count."""
    assert growth([80, 95, 100, 100, 100, 100, 100, 130, 100]) == 0
    assert growth([80, 95, 100, 100, 101, 102, 103, 104, 105]) == 3
