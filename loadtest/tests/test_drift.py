"""Digits that went bad are still digits of the API's shape, and bad in the way that their name says."""

import pytest
from digits import read_digits
from drift import DRIFTS, blur, invert, shift

STROKE = [16 if column == 3 else 0 for _ in range(8) for column in range(8)]


def rows(pixels):
    return [pixels[start : start + 8] for start in range(0, 64, 8)]


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_what_comes_out_can_be_sent(drift):
    """64 whole numbers from 0 to 16, other than before, of each drawing; which stays as it was."""
    for _, pixels in read_digits():
        before = list(pixels)
        bad = drift(pixels)
        assert pixels == before
        assert bad != before
        assert len(bad) == 64
        assert all(type(ink) is int and 0 <= ink <= 16 for ink in bad)


def test_a_blurred_stroke_is_wide_and_pale():
    """The ink of one column goes to three; at the upper and lower edge some is lost to the paper beyond."""
    assert rows(blur(STROKE)) == [[0, 0, 4, 4, 4, 0, 0, 0], *[[0, 0, 5, 5, 5, 0, 0, 0]] * 6, [0, 0, 4, 4, 4, 0, 0, 0]]


def test_an_inverted_stroke_is_light_on_dark():
    """Ink where paper was, and the other way round; twice is none."""
    assert rows(invert(STROKE)) == [[16, 16, 16, 0, 16, 16, 16, 16]] * 8
    assert invert(invert(STROKE)) == STROKE


def test_a_shifted_stroke_is_off_centre_and_may_be_cut_off():
    """Two columns to the right; nothing comes in again at the left."""
    assert rows(shift(STROKE)) == [[0, 0, 0, 0, 0, 16, 0, 0]] * 8
    assert set(shift(shift(shift(STROKE)))) == {0}
