"""How many users come when."""

import schedules


def at(shape, *seconds, **settings):
    return [shape(second, **settings) for second in seconds]


def test_steps_rise_evenly_and_end_with_a_rest():
    """Equal steps, equally long; then little load; then the end."""
    found = at(schedules.steps, 0, 9, 10, 20, 39.9, 40, 59, 60, peak=40, seconds=40, count=4, base=0.1, rest=20)
    assert found == [10, 10, 20, 30, 40, 4, 4, None]


def test_every_step_has_somebody():
    """Also with more steps than users."""
    assert at(schedules.steps, 0, 1, 9, peak=2, seconds=10, count=10, base=0.1, rest=0) == [1, 1, 2]


def test_a_spike_is_half_of_the_time():
    """A quarter of little, half of the peak, little again, and the rest."""
    found = at(schedules.spike, 0, 9, 10, 29, 30, 40, 49, 50, peak=50, seconds=40, base=0.1, rest=10)
    assert found == [5, 5, 50, 50, 5, 5, 5, None]


def test_an_overload_is_three_times_of_what_was_before():
    """A third of the peak for a quarter of the time, the peak for half of it, a third again."""
    assert at(schedules.overload, 0, 9, 10, 29, 30, 39, 40, peak=90, seconds=40) == [30, 30, 90, 90, 30, 30, None]


def test_a_soak_stays():
    """The peak until the end."""
    assert at(schedules.soak, 0, 599, 600, peak=7, seconds=600) == [7, 7, None]


def test_a_breakpoint_grows():
    """From one up to the peak."""
    assert at(schedules.breakpoint_, 0, 50, 99, 100, peak=200, seconds=100) == [1, 100, 198, None]
